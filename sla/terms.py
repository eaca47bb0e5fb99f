"""Promises that are no rows: what the policy says of them and what keeps them read the same name.

Figures from sla.md, marked [P] there: a default of ours. Whatever sweeps, reports or reckons credits takes them here.
"""

from decimal import Decimal

# From the detection of a word of AWS to its notice.
RELAY_S = 120

# Of the platform, in percent of a month; and how long planned maintenance is announced before it.
AVAILABILITY = Decimal("99.9")
MAINTENANCE_NOTICE_S = 72 * 3600

# Attainment is kept at hand for so many days; a month's report is frozen on this day of the next.
REPORT_DAYS, FREEZE_DAY = 30, 3

# After a breach: working days to the apology, days to its cause; days to disagree with a credit.
APOLOGY_WORKING_DAYS, CAUSE_DAYS, CLAIM_DAYS = 1, 5, 30

# Among ourselves (rule 14), by the rank of the priority, the most urgent first; a further rank has the last one's time,
# but no AWS case is promised where none is named.
ASSIGN_S = (5 * 60, 15 * 60, 60 * 60, 240 * 60)
CASE_S = (30 * 60, 60 * 60)
RELAY_S_BY_RANK = (30 * 60, 60 * 60, 240 * 60, 480 * 60)

# Before a version that promises less takes effect.
NOTICE_DAYS = 30

# Net attainment of a month from which (percent, inclusive) so much (percent) of the support fee is credited.
CREDITS = ((95, 0), (90, 5), (80, 10), (0, 20))
CREDIT_CAP = 20
# With fewer decided clocks than this only a critical breach is credited, with so much.
FEWEST_CLOCKS, FEW_CREDIT = 5, 5

# Of AWS Health: a planned change this close is high, this close medium; one that asks for action, this close medium.
HEALTH_SOON_S, HEALTH_DAYS, HEALTH_ACTION_DAYS = 24 * 3600, 7, 14


def among_us(rank: int) -> dict[str, int | None]:
    """What we promise each other for a priority of this rank, by the names of clock.Target."""
    place = rank - 1
    return {
        "assign_s": ASSIGN_S[min(place, len(ASSIGN_S) - 1)],
        "case_s": CASE_S[place] if place < len(CASE_S) else None,
        "relay_s": RELAY_S_BY_RANK[min(place, len(RELAY_S_BY_RANK) - 1)],
    }
