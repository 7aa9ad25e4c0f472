"""The demo's people: who can be signed in as, what each is in the co-op, and the crowd that nobody signs in as."""

from dataclasses import dataclass

PASSWORD = "refrain-demo"  # noqa: S105  (the demo's, printed when it starts)
DOMAIN = "demo.example"


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody of the demo: what they look after for the co-op, in which classes they belong, and where they vote.

    `part` says in the demo's own words what there is to see as them; nobody signs in as somebody without.
    """

    name: str
    surname: str
    country: str = "DE"
    roles: tuple[str, ...] = ()
    classes: tuple[str, ...] = ("listener",)
    shares: int = 0
    part: str = ""

    @property
    def email(self) -> str:
        """The address they sign in with."""
        return f"{self.name.lower()}@{DOMAIN if self.part else 'crowd.example'}"

    @property
    def votes_as(self) -> str:
        """The class they vote in: the first they asked for."""
        return self.classes[0]


PEOPLE = (
    Member(name="Lena", surname="Berg", part="a listener"),
    Member(name="Lars", surname="Lund", part="a listener"),
    Member(name="Ana", surname="Sol", classes=("creator",), shares=1, part="a creator, with a draft of a proposal"),
    Member(name="Ben", surname="Frey", classes=("creator",), shares=1, part="a creator"),
    Member(
        name="Cleo",
        surname="Marsh",
        roles=("director",),
        classes=("creator", "listener"),
        shares=2,
        part="a creator, of the board",
    ),
    Member(
        name="Wen",
        surname="Tao",
        roles=("catalogue",),
        classes=("worker",),
        part="a worker, who looks after the catalogue",
    ),
    Member(
        name="Wim",
        surname="Visser",
        roles=("catalogue", "secretary"),
        classes=("worker", "listener"),
        part="a worker, the second secretary",
    ),
    Member(name="Tess", surname="Holm", roles=("treasurer", "director"), part="a treasurer, of the board"),
    Member(name="Tom", surname="Reed", roles=("treasurer",), part="the other treasurer"),
    Member(name="Sam", surname="Amir", roles=("secretary", "director"), part="the secretary, of the board"),
)
# More of them, nobody's sign-in: without them each work's audience and each vote would be too few to be shown.
CROWD = (
    Member(name="Ada", surname="Klein"),
    Member(name="Bo", surname="Ek", country="SE"),
    Member(name="Cem", surname="Demir"),
    Member(name="Dora", surname="Nowak", country="PL"),
    Member(name="Emil", surname="Vogt"),
    Member(name="Fay", surname="Petit", country="FR", shares=1),
    Member(name="Gus", surname="Brandt"),
    Member(name="Hana", surname="Maly", country="PL"),
    Member(name="Ivo", surname="Zielak", country="PL"),
    Member(name="June", surname="Roux", country="FR", classes=("supporter",), shares=5),
    Member(name="Kai", surname="Winter"),
    Member(name="Lola", surname="Wilk", country="PL"),
    Member(name="Mika", surname="Otto"),
    Member(name="Noor", surname="Haddad"),
)
EVERYBODY = {member.name: member for member in (*PEOPLE, *CROWD)}
