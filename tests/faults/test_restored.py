"""A backup is restored: it is closed, it recovers, and is right. With the real dump, gateway, server and bank's files.

The backup is made while September is being counted and August's payouts are on their way. After it a payment arrives,
somebody pays who had not begun to, somebody joins and pays, credit is cashed out, a bank takes a payment back, a work
is bought, September is sealed and its payouts are released, and the bank books them. Then the disk is gone.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from infra.parts.postgresql import BINARIES
from members import clock, lineage, policies
from members.models import Closing, Person
from playback import cashouts, topups
from playback.cashout_models import CashOut, Refund
from playback.chargeback_models import Chargeback
from playback.models import Charge, TopUp
from royalties import accounts, adopting, bank, highwater, ledger, payout_accounts, payouts, reconciliation, runs
from royalties.payout_models import Payout
from royalties.run_models import Run
from tests import callers, cast
from tests.royalties import counting, running, treasury
from tests.site import ROOT, Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]
JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (7, 8, 9))
PRICE = 30_000_000
WAIT_SECONDS = 60


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Give a server and a gateway that share this test's database and store."""
    folder = tmp_path / "store"
    folder.mkdir()
    settings.STORE_DIR = folder
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}},
    }
    served = Site(tmp_path)
    settings.BASE_URL, settings.GATEWAY_URL = served.base_url, served.gateway_url
    served.open_till()
    served.serve()
    yield served
    served.stop()


class Coop:
    """People, works, and what they do."""

    def __init__(self, site: Site) -> None:
        self.site = site
        cast.set_clock(treasury.at("2026-07-01 12:00"))
        self.lena, self.lars = cast.person("lena"), cast.person("lars")
        self.ana, self.ben = cast.person("ana"), cast.person("ben")
        self.tess, self.tom = cast.treasurer("tess"), cast.treasurer("tom")
        since = clock.now()
        self.works = []
        for payees in ([(self.ana, 1_000_000)], [(self.ana, 333_333), (self.ben, 666_667)]):
            for _ in range(4):
                work = cast.track(cast.creator(cast.person("maker")), price_micros=PRICE, now=since)
                counting.put_in_force(work, payees, since=since)
                self.works.append(work)
        for payee, iban in ((self.ana, treasury.IBANS[0]), (self.ben, treasury.IBANS[1])):
            payout_accounts.enter(person_id=payee.id, holder=payee.name, iban=iban, now=since)

    def begin_top_up(self, person: Person, cents: int) -> TopUp:
        return topups.start(
            person_id=person.id,
            amount_cents=cents,
            country="DE",
            evidence=["account"],
            idempotency_key=str(uuid4()),
            return_url=f"{self.site.base_url}/wallet",
            now=clock.now(),
        )

    def pay(self, top_up: TopUp) -> TopUp:
        """Pay at the gateway and wait for its webhook."""
        topups.gateway().settle(checkout_id=top_up.checkout_id)
        wait_until(lambda: TopUp.objects.get(id=top_up.id).state == TopUp.State.SETTLED)
        return TopUp.objects.get(id=top_up.id)

    def top_up(self, person: Person, cents: int) -> TopUp:
        return self.pay(self.begin_top_up(person, cents))

    def charge_back(self, top_up: TopUp) -> None:
        answer = self.site.ask("POST", f"{self.site.gateway_url}/checkouts/{top_up.checkout_id}/chargeback-opened")
        assert answer.status_code == 303, answer.text

    def cash_out(self, person: Person, cents: int) -> CashOut:
        taken, _ = cashouts.take(person_id=person.id, amount_micros=cents * 10_000, key=str(uuid4()))
        cashouts.send_waiting(now=clock.now())
        wait_until(lambda: not taken.refunds.exclude(state=Refund.State.REFUNDED).exists())
        return taken

    def pay_out(self, month: date) -> list[Payout]:
        treasury.agree(month, self.tess, self.tom)
        batch = treasury.pay(month, self.tess, self.tom)
        return list(batch.payouts.order_by("end_to_end"))

    def owed(self) -> dict[UUID, int]:
        return ledger.payable([self.ana.id, self.ben.id])

    def sell(self, month: date) -> None:
        """Sell a work of each kind on the fifth."""
        cast.set_clock(clock.start_of(month.replace(day=5)))
        place = month.month - JULY.month
        for who, work in ((self.lena, self.works[place]), (self.lars, self.works[4 + place])):
            cast.buy(who, work, price_micros=PRICE)

    def recover(self, *words: object) -> subprocess.Popen[str]:
        """Start the command as somebody does at a shell."""
        return subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "recover", *map(str, words)],
            env=self.site.env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip


def wait_until(is_so: Any) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def back_up(file: Path) -> None:
    """Dump the database as README.md says."""
    told = connection.get_connection_params()
    where = ["-h", told["host"], "-p", str(told["port"]), "-U", told["user"]]
    subprocess.run([BINARIES / "pg_dump", *where, "-Fc", "-f", file, told["dbname"]], check=True)


def restore(file: Path) -> None:
    """Lose the database, and restore the dump."""
    told = connection.get_connection_params()
    where = {"host": told["host"], "port": told["port"], "user": told["user"]}
    connection.close()
    name = sql.Identifier(told["dbname"])
    with psycopg.connect(**where, dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    options = ["-h", told["host"], "-p", str(told["port"]), "-U", told["user"], "-d", told["dbname"]]
    subprocess.run([BINARIES / "pg_restore", *options, "--exit-on-error", file], check=True)
    policies.forget()


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Keep everybody from a table."""
    with psycopg.connect(**connection.get_connection_params()) as ours:
        ours.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        yield
        ours.rollback()


def somebody_waits_for(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
        return bool(cursor.fetchone()[0])


class Story:
    """What happened until the disk was lost, and what stood in the books then."""

    def __init__(self, site: Site, backup: Path) -> None:
        self.coop = coop = Coop(site)
        self.first, self.disputed = coop.top_up(coop.lena, 15_000), coop.top_up(coop.lars, 15_000)
        for month in (JULY, AUGUST):
            coop.sell(month)
            running.start_of_next(month)
            assert running.close(month).state == Run.State.SEALED
        treasury.agree(JULY, coop.tess, coop.tom)
        self.early = coop.pay_out(AUGUST)
        coop.sell(SEPTEMBER)
        self.started = coop.begin_top_up(coop.lars, 2_000)
        running.start_of_next(SEPTEMBER)
        runs.begin(month=SEPTEMBER, now=clock.now())
        for _ in range(3):
            assert runs.advance(month=SEPTEMBER, now=clock.now()).took
        assert highwater.keep()
        back_up(backup)
        self._go_on()

    def _go_on(self) -> None:
        """Do what the backup does not know."""
        coop = self.coop
        assert highwater.keep()
        self.top_ups = [coop.pay(self.started), coop.top_up(coop.lars, 1_000)]
        coop.top_up(cast.person("nia"), 700)
        taken = coop.cash_out(coop.lena, 500)
        coop.charge_back(self.disputed)
        wait_until(Chargeback.objects.exists)
        cast.buy(coop.lena, coop.works[3], price_micros=PRICE)
        assert running.finish(SEPTEMBER).state == Run.State.SEALED
        self.sums = sums_of(SEPTEMBER)
        self.late = coop.pay_out(SEPTEMBER)
        assert (len(self.early), len(self.late)) == (2, 2)
        self.statement = treasury.statement(*(entry_of(paid) for paid in (self.early, self.late)))
        bank.take_in(content=self.statement, staff_id=coop.tess.id, now=clock.now())
        self.owed, self.at_the_bank = coop.owed(), ledger.balance(accounts.BANK)
        self.refunds = [refund_facts(one) for one in taken.refunds.all()]
        self.chargeback = chargeback_facts()
        assert differences() == []


def sums_of(month: date) -> dict[str, int]:
    return Run.objects.filter(month=month).values("gross_micros", "creators_micros", "coop_micros").get()


def entry_of(paid: list[Payout]) -> str:
    """Return the bank's line of a file, with its payments."""
    details = "".join(treasury.one(one) for one in paid)
    return treasury.entry(-sum(one.cents for one in paid), reference=f"FILE-{paid[0].batch_id}", details=details)


def top_up_facts(of: TopUp) -> tuple[Any, ...]:
    return (of.state, of.listener_id, of.gross_cents, of.net_cents, of.vat_cents, of.checkout_id)


def refund_facts(of: Refund) -> tuple[Any, ...]:
    return (of.id, of.state, of.net_cents, of.vat_cents, of.top_up_id)


def chargeback_facts() -> tuple[Any, ...]:
    one = Chargeback.objects.get()
    return (one.gateway_id, one.gross_cents, one.taken_micros, one.state)


def differences() -> list[str]:
    return [one.words for one in reconciliation.check(now=clock.now())]


def test_a_restored_backup_comes_back_right(site: Site, tmp_path: Path) -> None:
    story = Story(site, tmp_path / "backup.dump")
    coop = story.coop
    restore(tmp_path / "backup.dump")
    assert [Charge.objects.filter(listener=coop.lena).count(), CashOut.objects.count()] == [3, 0]
    cast.set_clock(treasury.at("2026-10-06 10:00"))

    check_closed(coop)
    assert not highwater.keep()
    lost_since = Closing.objects.get().lost_since
    assert lost_since is not None

    said = tmp_path / "october.xml"
    said.write_bytes(story.statement)
    files = ("--treasurer", coop.tess.email, said)
    for table in ("playback_gatewayevent", "royalties_bankline", "royalties_postingmark"):
        kill_while_waiting_for(table, coop, files)
        assert lineage.is_closed()
    told = finished(coop.recover(*files))
    assert "The co-op is open." in told
    assert f"Charges between {lost_since.astimezone(clock.zone()):%Y-%m-%d %H:%M}" in told
    assert "of payouts for September 2026, file 1, that is lost here" in told
    assert highwater.keep()
    assert differences() == []
    check_what_the_gateway_knew(story)
    check_what_the_bank_knew(story)

    # Told again, it changes nothing; and no event that comes again does.
    reconciliation.raise_alarms(now=clock.now())
    before = callers.digest()
    assert "The co-op was open, and is." in finished(coop.recover(*files))
    assert callers.digest() == before
    events = list(topups.gateway().events(since=lost_since))
    assert len(events) >= 5
    assert not any(topups.take_in(event=event, now=clock.now()) for event in events)
    assert callers.digest() == before


def check_closed(coop: Coop) -> None:
    """Check that nothing moves, whoever asks, and that everything can be read and what is owned plays."""
    lena, tess = callers.token(coop.lena), callers.token(coop.tess)
    unbought = str(coop.works[3].id)
    began = coop.site.ask("POST", "/api/v1/sessions", lena, json={"work": unbought}).json()
    for path, by, body in (
        ("wallet/top-ups", lena, {"amount_cents": 1_000, "country": "DE"}),
        ("wallet/cash-outs", lena, {"amount_micros": 10_000}),
        (f"works/{unbought}/purchase", lena, {"price_micros": PRICE}),
        (f"sessions/{began['id']}/charge", lena, {"price_micros": began["price_micros"]}),
        ("staff/grants", tess, {"listener": str(coop.lena.id), "amount_micros": 1, "reason": "a gift"}),
    ):
        answer = coop.site.ask("POST", f"/api/v1/{path}", by, json=body, headers={"Idempotency-Key": str(uuid4())})
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/recovering"), path
        assert int(answer.headers["Retry-After"]) > 0
    for path in ("/", "/periods", "/api/v1/wallet", "/api/v1/library"):
        assert coop.site.ask("GET", path, lena).status_code == 200, path
    owned = coop.site.ask("POST", "/api/v1/sessions", lena, json={"work": str(coop.works[0].id)})
    assert (owned.status_code, owned.json()["owned"]) == (201, True)


def check_what_the_gateway_knew(story: Story) -> None:
    """Check that it is back under its own ids, and that Lena has the credit again that she spent after the backup."""
    for row in story.top_ups:
        assert top_up_facts(TopUp.objects.get(id=row.id)) == top_up_facts(row)
    assert [refund_facts(one) for one in Refund.objects.all()] == story.refunds
    assert chargeback_facts() == story.chargeback
    assert story.first.net_cents is not None
    spent = 3 * PRICE + 5_000_000
    assert cast.wallet(story.coop.lena).balance_micros == story.first.net_cents * 10_000 - spent
    # Nia joined after the backup; her payment waits for whoever finds her.
    assert ledger.balance(accounts.SUSPENSE) == -7_000_000


def check_what_the_bank_knew(story: Story) -> None:
    """Check that September comes to the same sums, and that its payouts are booked and not sent again."""
    coop = story.coop
    booked = Payout.objects.filter(batch__month=AUGUST, state="booked").order_by("end_to_end")
    assert [one.end_to_end for one in booked] == [one.end_to_end for one in story.early]
    assert running.finish(SEPTEMBER).state == Run.State.SEALED
    assert sums_of(SEPTEMBER) == story.sums
    treasury.agree(SEPTEMBER, coop.tess, coop.tom)
    batch = treasury.pay(SEPTEMBER, coop.tess, coop.tom)
    again = list(batch.payouts.order_by("end_to_end"))
    assert [(one.end_to_end, one.person_id, one.cents, one.state) for one in again] == [
        (one.end_to_end, one.person_id, one.cents, "booked") for one in story.late
    ]
    assert payouts.bank_file(batch_id=batch.id, staff_id=coop.tess.id) == b""
    assert coop.owed() == story.owed
    assert (ledger.balance(accounts.BANK), ledger.balance(accounts.PAYOUTS)) == (story.at_the_bank, 0)
    assert (adopting.unknown(), bank.unexplained().count(), differences()) == ([], 0, [])


def kill_while_waiting_for(table: str, coop: Coop, files: tuple[object, ...]) -> None:
    """Kill the command in the step that needs a table."""
    with locked(table):
        command = coop.recover(*files)
        wait_until(lambda: somebody_waits_for(table))
        command.send_signal(signal.SIGKILL)
        command.communicate()


def finished(command: subprocess.Popen[str]) -> str:
    told, _ = command.communicate(timeout=WAIT_SECONDS)
    assert command.returncode == 0, told
    return told
