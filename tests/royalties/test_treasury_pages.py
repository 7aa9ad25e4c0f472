"""The treasury's pages and a payee's, over HTTP: two people from the bank's lines to the file, no account in clear."""

import subprocess

import psycopg
import pytest
import redis
from defusedxml.ElementTree import fromstring
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from infra.parts.postgresql import BINARIES
from members import clock
from members.models import Notice
from royalties import bank, payouts, periods
from royalties.journal_models import JournalEntry
from royalties.payout_models import Payout, PayoutAccount, PayoutBatch
from royalties.run_models import Run
from tests import cast
from tests.callers import Caller
from tests.playback.test_chargebacks import said as disputed
from tests.playback.till import tell
from tests.royalties import running, treasury
from tests.royalties.treasury import SEPTEMBER, owe, payee, seal

IBAN = "DE89370400440532013000"


def browser(person):
    made = Client()
    made.force_login(person)
    return made


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content[:300])
    return answer.content.decode()


def post(by, path, status=302, **sent):
    answer = by.post(path, sent)
    assert answer.status_code == status, (answer.status_code, answer.content[:400])
    return answer


@pytest.fixture
def rooms(db):
    """Give the browsers of two treasurers on the fourth of October, when September is sealed."""
    seal(SEPTEMBER)
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    return browser(tess), browser(tom)


def test_a_month_goes_from_the_bank_s_lines_to_the_file(rooms):
    tess, tom = rooms
    ana = payee("ana", 12_345_678, iban=IBAN)
    assert "No month is sealed" not in text(tess.get("/treasury/payouts"))
    # The bank's lines come in, and the one for rent is explained by one and confirmed by another.
    table = SimpleUploadedFile("lines.csv", b"date,amount,words\n2026-09-20,-50.00,Rent to DE89370400440532013000\n")
    post(tess, "/treasury/journal/files", file=table)
    shown = text(tess.get("/treasury/journal"))
    assert "Rent to DE •••• 3000" in shown
    (line,) = bank.unexplained()
    post(tess, f"/treasury/journal/lines/{line.id}", kind="cost", words="Rent")
    entry = JournalEntry.objects.get()
    assert "You entered it" in text(tess.get("/treasury/journal"))
    text(tess.post(f"/treasury/journal/entries/{entry.id}/confirm"), 403)
    post(tom, f"/treasury/journal/entries/{entry.id}/confirm")
    # The books meet the bank.
    post(tess, "/treasury/months/2026-09/balance", amount_micros="50", overdrawn="on")
    (balance,) = connection_rows("SELECT id FROM royalties_bankbalance")
    text(tess.post(f"/treasury/balances/{balance}/lock"), 403)
    post(tom, f"/treasury/balances/{balance}/lock")
    assert "books locked" in text(tess.get("/treasury/months"))
    # Payouts are prepared by one and released by another.
    post(tess, "/treasury/payouts/2026-09/prepare")
    batch = PayoutBatch.objects.get()
    shown = text(tess.get("/treasury/payouts"))
    assert "You prepared it" in shown
    assert "DE •••• 3000" in shown
    text(tess.post(f"/treasury/batches/{batch.id}/release", {"plan": batch.plan_sha256}), 403)
    post(tom, f"/treasury/batches/{batch.id}/release", plan=batch.plan_sha256)
    assert treasury.owed(ana) == 5_678
    answer = tom.get(f"/treasury/batches/{batch.id}/file")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="RFR-202609-01.xml"'
    assert fromstring(answer.content).tag.endswith("Document")
    assert IBAN in answer.content.decode()
    # The bank pays; the payee sees it.
    file = SimpleUploadedFile("statement.xml", treasury.booked(Payout.objects.get()))
    post(tess, "/treasury/journal/files", file=file)
    shown = text(browser(ana).get("/earnings/payouts"))
    assert "paid on 5 Oct 2026" in shown
    assert "€12.34" in shown
    answer = Caller(ana).get("payouts")
    assert answer.json()["results"][0] == {
        "id": str(Payout.objects.get().id),
        "month": "2026-09",
        "amount_cents": 1_234,
        "currency": "EUR",
        "state": "booked",
        "account": "DE •••• 3000",
        "reference": Payout.objects.get().end_to_end,
        "released_at": answer.json()["results"][0]["released_at"],
        "booked_on": "2026-10-05",
        "reason": "",
    }
    assert Caller(cast.person("ben")).get("payouts").json() == {"results": [], "next": None}


def connection_rows(question):
    with connection.cursor() as cursor:
        cursor.execute(question)
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/treasury", "What rings"),
        ("/treasury/months", "September 2026"),
        ("/treasury/journal", "Every line of the bank is explained"),
        ("/treasury/payouts", "Nobody is owed anything"),
        ("/treasury/disputes", "No wallet is frozen"),
        ("/treasury/reconciliation", "No difference"),
    ],
)
def test_an_empty_room_says_so(rooms, path, word):
    assert word in text(rooms[0].get(path))


def test_what_is_wrong_is_said_and_nothing_is_done(rooms):
    tess, _ = rooms
    payee("ana", 12_345_678)
    file = SimpleUploadedFile("x.xml", b"<a/>")
    assert "It is none of pain.002" in text(tess.post("/treasury/journal/files", {"file": file}), 400)
    text(tess.post("/treasury/journal/files"), 400)
    text(tess.post("/treasury/journal/entries", {"kind": "cost"}), 400)
    wrong = {"kind": "cost", "amount_micros": "5", "happened_on": "2031-01-01", "words": "x"}
    text(tess.post("/treasury/journal/entries", wrong), 400)
    post(tess, "/treasury/payouts/2026-09/prepare")
    text(tess.post("/treasury/payouts/2026-09/prepare"), 409)
    for month in ("2026-13", "9999-12", "0001-01", "x"):
        assert tess.post(f"/treasury/payouts/{month}/prepare").status_code in (404, 409)
        assert tess.post(f"/treasury/months/{month}/balance", {"amount_micros": "1"}).status_code in (400, 404)
    text(tess.post(f"/treasury/journal/lines/{PayoutBatch.objects.get().id}", {"kind": "cost", "words": "x"}), 404)
    assert not JournalEntry.objects.exists()
    assert PayoutBatch.objects.count() == 1


def test_a_month_is_closed_once_it_is_over_and_in_its_order(rooms):
    """September is sealed; the world stands on the fourth of October, and then on the first of November."""
    tess, tom = rooms
    assert "Close October" not in text(tess.get("/treasury/months"))
    refused = text(tess.post("/treasury/months/2026-10/close"), 409)
    assert "is closed after it has ended" in refused
    assert tess.get("/treasury/months/2026-10/run").status_code == 404
    cast.set_clock(treasury.at("2026-11-01 00:05"))
    assert "Close October 2026" in text(tess.get("/treasury/months"))
    text(tess.post("/treasury/months/2026-11/close"), 409)
    assert not Run.objects.exists()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        broker.delete("celery")
        post(tess, "/treasury/months/2026-10/close")
        # A worker is called to it.
        (message,) = broker.lrange("celery", 0, -1)
        assert b"royalties.tasks.work_on_run" in message
        broker.delete("celery")
    # Closed again it is the same run; nothing waits for a second person, for beat closes months alone.
    post(tom, "/treasury/months/2026-10/close")
    assert Run.objects.get().month == treasury.OCTOBER
    shown = text(tom.get("/treasury/months"))
    assert "Posting what is not in the ledger yet" in shown
    assert "Close October" not in shown
    assert tess.get("/treasury/months/2026-10/run").json() == {
        "state": "running",
        "percent": 0,
        "words": "Posting what is not in the ledger yet",
    }
    assert running.finish(treasury.OCTOBER).state == "sealed"
    assert tess.get("/treasury/months/2026-10/run").json() == {"state": "sealed", "percent": 100, "words": "Sealed"}
    assert "sealed, books open" in text(tess.get("/treasury/months"))


def test_charges_that_hold_the_lock_do_not_hold_the_page(committed, monkeypatch):
    """Closing asks a few times and says so; the month stays open, and is closed when it is asked again."""
    seal(SEPTEMBER)
    tess = browser(cast.treasurer("tess"))
    cast.set_clock(treasury.at("2026-11-01 00:05"))
    monkeypatch.setattr(periods, "PAUSE_SECONDS_MOST", 0.01)
    made = connection.settings_dict
    with psycopg.connect(host=made["HOST"], port=made["PORT"], user=made["USER"], dbname=made["NAME"]) as charging:
        charging.execute("SELECT coop_money_moment()")
        assert "Charges held the lock" in text(tess.post("/treasury/months/2026-10/close"), 503)
        assert not Run.objects.exists()
    post(tess, "/treasury/months/2026-10/close")
    assert Run.objects.get().state == "running"


def test_a_frozen_wallet_is_decided_on_its_page(rooms):
    tess, _ = rooms
    lena = cast.person("lena")
    tell(disputed(cast.top_up(lena, 1_000)))
    shown = text(tess.get("/treasury/disputes"))
    assert "€10.00" in shown
    (found,) = connection_rows("SELECT id FROM playback_chargeback")
    text(tess.post(f"/treasury/disputes/{found}", {"reason": " "}), 400)
    post(tess, f"/treasury/disputes/{found}", reason="It was a mistake.")
    assert cast.wallet(lena).frozen_at is None


def test_a_payee_enters_an_account_and_sees_its_end(db):
    ana = cast.person("ana")
    mine = browser(ana)
    assert "No account yet" in text(mine.get("/earnings/account"))
    refused = text(mine.post("/earnings/account", {"holder": "Ana", "iban": "DE89370400440532013001"}), 400)
    assert "check digits" in refused
    assert "DE89370400440532013001" not in refused
    post(mine, "/earnings/account", holder="Ana", iban="DE89 3704 0044 0532 0130 00")
    shown = text(mine.get("/earnings/account"))
    assert "DE •••• 3000" in shown
    assert "0532" not in shown
    post(mine, "/earnings/account/remove")
    assert PayoutAccount.objects.filter(person=ana, ended_at=None).count() == 0


def test_a_payee_reads_why_nothing_is_paid(rooms):
    ana = cast.person("ana")
    owe(ana, 5_000_000)
    assert "It is paid from" in text(browser(ana).get("/earnings/payouts"))
    owe(ana, 5_000_000)
    assert "We do not know where to pay it" in text(browser(ana).get("/earnings/payouts"))


@pytest.mark.parametrize("path", ["/treasury/payouts", "/treasury/journal", "/treasury/disputes", "/treasury/months"])
def test_pages_take_as_many_queries_for_many_as_for_one(rooms, path):
    tess, _ = rooms

    def more():
        payee("ana", 20_000_000)
        table = f"date,amount,words\n2026-09-20,-5.00,{clock.now().isoformat()}\n".encode()
        done = bank.take_in(content=table, staff_id=cast.treasurer().id, now=clock.now())
        assert done.new_lines == 1
        tell(disputed(cast.top_up(cast.person("lena"), 500), name=f"dispute-{clock.now().isoformat()}"))

    def count():
        with connection.execute_wrapper(counting):
            queries.clear()
            text(tess.get(path))
        return len(queries)

    queries = []

    def counting(execute, sql, params, many, context):
        queries.append(sql)
        return execute(sql, params, many, context)

    more()
    count()
    first = count()
    for _ in range(4):
        more()
    assert count() == first


# Accounts in clear: nowhere but in the file for the bank.


def test_no_account_stands_in_the_database_a_page_a_letter_or_the_log(committed, caplog):
    caplog.set_level(0)
    seal(SEPTEMBER)
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    ana = payee("ana", 20_000_000, iban=IBAN)
    pages = [browser(ana), browser(tess), browser(tom)]
    pages[0].post("/earnings/account", {"holder": "Ana", "iban": "DE89370400440532013001"})
    treasury.agree(SEPTEMBER, tess, tom)
    batch = treasury.pay(SEPTEMBER, tess, tom)
    details = f"<TxDtls><RltdPties><CdtrAcct><Id><IBAN>{IBAN}</IBAN></Id></CdtrAcct></RltdPties></TxDtls>"
    statement = treasury.statement(treasury.entry(-500, details=details, words=f"to {IBAN}"))
    bank.take_in(content=statement, staff_id=tess.id, now=clock.now())
    assert IBAN.encode() in payouts.bank_file(batch_id=batch.id, staff_id=tess.id)
    shown = [
        text(one.get(path))
        for one, paths in (
            (pages[0], ("/earnings/account", "/earnings/payouts")),
            (pages[1], ("/treasury", "/treasury/payouts", "/treasury/journal", f"/treasury/batches/{batch.id}")),
        )
        for path in paths
    ]
    shown += [Caller(ana).get("payouts").content.decode(), caplog.text, repr(batch), repr(ana)]
    shown += [letter.body + letter.html + letter.subject for letter in Notice.objects.all()]
    made = connection.settings_dict
    where = ["-h", made["HOST"], "-p", str(made["PORT"]), "-U", made["USER"], made["NAME"]]
    content = subprocess.run(
        [BINARIES / "pg_dump", "--inserts", *where], check=True, capture_output=True, timeout=60
    ).stdout
    assert ana.email.encode() in content
    shown.append(content.decode())
    for one in shown:
        plain = one.replace(" ", "").upper()
        assert IBAN not in plain
        assert IBAN[4:] not in plain
        assert "DE89370400440532013001" not in plain
