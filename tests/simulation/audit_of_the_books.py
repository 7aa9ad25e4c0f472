"""The audit of the books: ledger, runs, statements and bundles against what the auditor added up by hand."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from catalog import store
from members import seals
from royalties import reconciliation, signing, transparency
from royalties.publication_models import Publication
from royalties.run_models import Run, Statement
from royalties.year.models import FinancialYear
from tests.simulation.accounts_by_hand import Bookkeeper
from tests.simulation.audit import Objection, _agree, _rows
from tests.simulation.auditor import Id
from tests.simulation.rulings_of_months import Closed, Due

PROGRAMS = Path(__file__).resolve().parents[2] / "royalties" / "static" / "royalties"
LEDGER = """
SELECT code, month, sum(micros)::bigint
  FROM (SELECT debit AS code, month, amount_micros AS micros FROM royalties_transfer
        UNION ALL SELECT credit, month, -amount_micros FROM royalties_transfer) AS sides
 GROUP BY 1, 2 HAVING sum(micros) <> 0
"""
GROUPS = """
SELECT work_id, sheet_version, revenue_seq, gross_micros, promo_micros, plays_by_number, purchases, listeners,
       refunded_micros, creators_micros, coop_micros
  FROM royalties_group WHERE month = %s
"""
LINES = """
SELECT l.month, l.of_month, l.work_id, s.version, l.revenue_seq, l.line_number, l.payee_id, l.share_ppm, l.net_micros
  FROM royalties_line l JOIN catalog_splitsheet s ON s.id = l.sheet_id WHERE l.month = %s
"""
REACHED = "SELECT person_id FROM royalties_payoutaccount WHERE ended_at IS NULL"
STATES = "SELECT id, state FROM royalties_payout"


def compare_books(auditor: Bookkeeper, now: datetime) -> None:
    """Compare every account in every month, each payout, who has an account; the house finds no difference either."""
    _agree("accounts", auditor.accounts(), {(code, month): micros for code, month, micros in _rows(LEDGER)})
    states = {one.id: one.state for batch in auditor.batches for one in batch.payouts}
    _agree("payouts", states, dict(_rows(STATES)))
    _agree("bank accounts", auditor.bank_accounts, {row[0] for row in _rows(REACHED)})
    if differences := reconciliation.check(now=now):
        raise Objection(f"reconcile: {differences}")


def compare_month(closed: Closed) -> None:
    """Compare what a sealed run wrote: its sums, every group, every line, and what was published of them."""
    run, groups = Run.objects.get(month=closed.month), list(closed.groups.values())
    creators, gross = sum(group.creators for group in groups), sum(group.gross for group in groups)
    released = sum(line.micros for line in closed.lines if line.of < closed.month)
    _agree(
        f"run of {closed.month}",
        (gross, creators, gross - creators, closed.held, released, closed.borne),
        (
            *(run.gross_micros, run.creators_micros, run.coop_micros),
            *(run.held_micros, run.released_micros, run.refunds_borne_micros),
        ),
    )
    expected = {
        key: (
            *(group.gross, group.promo, group.plays, group.purchases, len(group.listeners)),
            *(group.given_back, group.creators, group.coop),
        )
        for key, group in closed.groups.items()
    }
    _agree(f"groups of {closed.month}", expected, {row[:3]: row[3:] for row in _rows(GROUPS, closed.month)})
    lines = {
        (one.paid_in, one.of, one.work, one.version, one.revenue, one.number, one.payee, one.share, one.micros)
        for one in closed.lines
    }
    _agree(f"lines of {closed.month}", lines, set(_rows(LINES, closed.month)))
    _compare_bundle(closed, {"gross_micros": gross, "creators_micros": creators, "released_micros": released})


def _compare_bundle(closed: Closed, sums: dict[str, int]) -> None:
    """Compare the published tables with the auditor's, payees under names that only they and the co-op can make."""
    published = Publication.objects.get(month=closed.month)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(store.pieces(published.key))))
    totals = json.loads(archive.read("totals.json"))
    sums |= {"held_micros": closed.held, "late_micros": closed.borne}
    _agree(f"totals of {closed.month}", sums, {name: totals[name] for name in sums})
    expected = {
        (str(work), str(version or ""), str(revenue), str(group.gross), str(group.creators), str(group.coop))
        for (work, version, revenue), group in closed.groups.items()
    }
    rows = csv.reader(io.StringIO(archive.read("works.csv").decode()))
    _agree(f"works.csv of {closed.month}", expected, {tuple(row[:6]) for row in rows if row[0] != "work"})
    secret = signing.secret_of(closed.month, key=signing.present_key())
    for name, lines in (
        ("lines.csv", [one for one in closed.lines if one.of == closed.month]),
        ("released-lines.csv", [one for one in closed.lines if one.of < closed.month]),
    ):
        named = sorted((secret.payee(one.work, one.payee), str(one.share), str(one.micros)) for one in lines)
        rows = csv.reader(io.StringIO(archive.read(name).decode()))
        _agree(f"{name} of {closed.month}", named, sorted(tuple(row[-3:]) for row in rows if row[-1] != "net_micros"))


def compare_statements(month: date, told: dict[Id, tuple[int, ...]], dues: dict[Id, Due]) -> None:
    """Compare what each payee is told of a month, and what of it is paid out."""
    nothing = Due(0, "nothing-owed", 0)
    expected = {
        payee: (
            *figures,
            dues.get(payee, nothing).cents,
            dues.get(payee, nothing).why_not,
            dues.get(payee, nothing).held,
        )
        for payee, figures in told.items()
    }
    found = {}
    for one in Statement.objects.filter(month=month):
        payout = one.content["payout"]
        found[one.person_id] = (
            *(one.opening_micros, one.earned_micros, one.released_micros, one.paid_out_micros, one.returned_micros),
            *(one.closing_micros, payout["cents"], payout["why_not"], payout["held_micros"]),
        )
    _agree(f"statements of {month}", expected, found)


def verify_bundles(months: Iterable[date], listeners: Iterable[Id], folder: Path) -> None:
    """Run the program that anybody runs over all published months, and over a listener's proof for each."""
    paths = []
    for month in sorted(months):
        published = Publication.objects.get(month=month)
        paths.append(folder / f"refrain-{month:%Y-%m}.zip")
        paths[-1].write_bytes(b"".join(store.pieces(published.key)))
    if not paths:
        return
    proofs: list[str] = []
    if (proof := _some_proof(max(months), listeners)) is not None:
        (folder / "proof.json").write_text(json.dumps(proof))
        proofs = ["--proof", str(folder / "proof.json")]
    _verify("verify_bundle.py", *map(str, paths), *proofs, lines=len(paths), folder=folder)


def verify_year(year: int, folder: Path) -> None:
    """Run the program that anybody runs over a year that was divided, with its months as `verify_bundles` left them."""
    published = FinancialYear.objects.get(year=year)
    path = folder / f"refrain-year-{year}.zip"
    path.write_bytes(b"".join(store.pieces(published.key)))
    months = sorted(map(str, folder.glob(f"refrain-{year}-*.zip")))
    _verify("verify_year.py", str(path), "--months", *months, lines=1, folder=folder)


def _verify(program: str, *arguments: str, lines: int, folder: Path) -> None:
    key = seals.public_bytes(signing.present_key()).hex()
    answer = subprocess.run(
        [sys.executable, "-E", "-s", "-S", str(PROGRAMS / program), *arguments, "--key", key],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if answer.returncode or answer.stdout.count("every line agrees") != lines:
        raise Objection(f"{program}: {answer.stdout}{answer.stderr}")


def _some_proof(month: date, listeners: Iterable[Id]) -> dict[str, Any] | None:
    found = next(iter(listeners), None)
    return None if found is None else transparency.my_proof(person_id=found, month=month)
