DROP TRIGGER frozen_proposal_stands ON members_proposal;
DROP FUNCTION members_frozen_proposal_stands();
DROP TRIGGER proposal_version_stays ON members_proposalversion;
DROP FUNCTION members_proposal_version_stays();
DROP TRIGGER remark_is_append_only ON members_remark;
DROP TRIGGER proposal_version_is_never_deleted ON members_proposalversion;
DROP TRIGGER proposal_is_never_deleted ON members_proposal;
DROP TRIGGER proposal_part_is_append_only ON members_part;
