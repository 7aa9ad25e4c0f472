-- What an audience is counted from. A play counts on the day it was paid, any other sitting on the day it began; the
-- creator's own people are not counted. Nothing here changes once its day is over, so days and months agree for ever.
CREATE VIEW playback_audience_sitting AS
    SELECT s.work_id, s.listener_id, s.source, c.charged_at AS at, true AS paid,
           CASE WHEN s.completed_at IS NULL THEN 'partial' ELSE 'completed' END AS outcome
      FROM playback_charge c
      JOIN playback_session s ON s.listener_id = c.listener_id AND s.id = c.session_id
     WHERE c.kind = 'play'
    UNION ALL
    SELECT s.work_id, s.listener_id, s.source, s.began_at, false,
           CASE WHEN s.basis <> 'paid' THEN 'free' WHEN s.position_ms < s.free_ms THEN 'skipped' ELSE 'opening' END
      FROM playback_session s
     WHERE s.charge_id IS NULL AND s.basis <> 'own';
