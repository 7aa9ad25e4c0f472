"""The public pages of sealed months: all of them, one with where its euros went, and the proof of one's own."""

import csv
import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members import money, wellknown
from members.requests import moment_of, signed_in_id
from royalties import bundles, period_drawing, transparency, whereabouts
from royalties.period_drawing import Part, Sums

# Amounts of a month stand beneath each other to the millionth.
PLACES = 6
ON_A_PAGE = 24


@require_safe
def all_of_them(request: HttpRequest) -> HttpResponse:
    """List sealed months, the newest first."""
    pages = Paginator(transparency.sealed().order_by("-month"), ON_A_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    return render(request, "royalties/periods.html", {"page": shown, "places": PLACES})


@require_safe
def page(request: HttpRequest, month: str) -> HttpResponse:
    """Show where every euro of a month went, and how to check it."""
    found = transparency.period(transparency.month_of(month))
    earlier, later = transparency.beside(found.month)
    costs, paid = whereabouts.costs(found.month), whereabouts.paid_out(found.month)
    versions = bundles.policies_of(found.month, moment_of(request))
    totals = found.totals
    context = {
        "period": found,
        "totals": totals,
        "earlier": earlier,
        "later": later,
        "places": PLACES,
        "accounts": _accounts(totals),
        "paid": paid,
        "costs": costs,
        "left_micros": totals["coop_micros"] - sum(cost.micros for cost in costs or []),
        "flow": period_drawing.flow(_sums(totals, costs, _percents(versions))),
        "policies": versions,
        "file": transparency.file_name(found.month),
        "public_key": wellknown.keys()["keys"].get(found.signing_key, "PUBLIC_KEY"),
        # As the program prints them.
        "lines": f"{totals['lines'] + totals['released_lines']:,}".replace(",", " "),
        "groups": f"{totals['groups'] + totals['released_groups']:,}".replace(",", " "),
        "previous": found.document["manifest"]["previous"],
    }
    return render(request, "royalties/period.html", context)


def _percents(versions: list[dict[str, Any]]) -> tuple[str, str]:
    """Return the creators' and the co-op's part in words, where one version held all month."""
    revenue = [version["params"] for version in versions if version["key"] == "revenue"]
    if len(revenue) != 1:
        return "by several versions of the policy", "the rest"
    return _percent(revenue[0]["creators_ppm"]), _percent(revenue[0]["coop_ppm"])


def _percent(ppm: int) -> str:
    return f"{money.percent(ppm)}\N{NO-BREAK SPACE}%"


def _sums(totals: dict[str, int], costs: list[whereabouts.Cost] | None, percents: tuple[str, str]) -> Sums:
    """Return what the picture shows of a month."""
    back = totals["given_back_micros"]
    to_coop = [Part(name=cost.short, micros=cost.micros, is_coops=True) for cost in costs or []]
    left = totals["coop_micros"] - sum(part.micros for part in to_coop)
    return Sums(
        sources=_present(
            [
                Part(name="Plays", micros=totals["plays_micros"], note=f"{totals['plays']:,} of them"),
                Part(
                    name="Purchases",
                    micros=totals["purchases_micros"],
                    note=f"the rest at once, {totals['purchases']:,}",
                ),
            ]
        ),
        charged=Part(
            name="Charged",
            micros=totals["gross_micros"],
            note=f"less {money.show(back)} given back" if back else "nothing was given back",
        ),
        creators=Part(name="Creators’ part", micros=totals["creators_micros"], note=percents[0]),
        coop=Part(name="Co-op’s part", micros=totals["coop_micros"], note=percents[1], is_coops=True),
        to_creators=_present(
            [
                Part(name="Payees", micros=totals["lines_micros"], note=f"{totals['payees']:,} of them"),
                Part(name="Held", micros=totals["held_micros"], note="no split sheet in force"),
            ]
        ),
        to_coop=_present(
            [
                *to_coop,
                Part(
                    name="Left" if costs is not None else "The co-op",
                    micros=left,
                    note="to the year’s result" if costs is not None else "its costs are told later",
                    is_coops=True,
                ),
            ]
        ),
    )


def _present(parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.micros]


def _accounts(totals: dict[str, int]) -> list[tuple[str, str, int, bool]]:
    """Return the month's account: each line's name, what there is to say of it, its micros, whether it is a sum."""

    def some(count: int, one: str, many: str) -> str:
        return f"{count:,} {one if count == 1 else many}"

    return [
        (
            "Plays",
            f"{totals['plays']:,}; with purchases by {some(totals['listeners'], 'listener', 'listeners')}",
            totals["plays_micros"],
            False,
        ),
        ("Purchases", f"{totals['purchases']:,}", totals["purchases_micros"], False),
        (
            "Given back",
            some(totals["given_back"], "reversal", "reversals") + ", each with a reason",
            -totals["given_back_micros"],
            False,
        ),
        ("Charged, less given back", "", totals["gross_micros"], True),
        (
            "Payees’ lines",
            f"{some(totals['payees'], 'payee', 'payees')}, {some(totals['works'], 'work', 'works')}",
            totals["lines_micros"],
            False,
        ),
        (
            "Held",
            some(totals["groups_held"], "work", "works") + " without a split sheet in force",
            totals["held_micros"],
            False,
        ),
        ("Co-op", "", totals["coop_micros"], False),
        ("Together", "", totals["lines_micros"] + totals["held_micros"] + totals["coop_micros"], True),
    ]


@require_safe
def table(request: HttpRequest, month: str) -> HttpResponse:
    """Give a month's account as CSV, in micros."""
    found = transparency.period(transparency.month_of(month))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="refrain-{month}.csv"'
    writer = csv.writer(answer)
    writer.writerow(["name", "figure"])
    writer.writerows(found.totals.items())
    return answer


@never_cache
@login_required
@require_safe
def my_proof(request: HttpRequest, month: str) -> HttpResponse:
    """Give the proof of one's own month, to check with the program."""
    proof = transparency.my_proof(person_id=signed_in_id(request), month=transparency.month_of(month))
    answer = HttpResponse(json.dumps(proof, indent=1) + "\n", content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="refrain-{month}-my-proof.json"'
    return answer
