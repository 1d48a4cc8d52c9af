"""The team that `taskflow-sidecar demo` makes up, and its work: nobody in it exists."""

from __future__ import annotations

from typing import Final, NamedTuple


class Person(NamedTuple):
    """A member."""

    name: str
    email: str
    active: bool = True


class Story(NamedTuple):
    """A task and how it went."""

    title: str
    priority: str
    status: str
    begun_days_ago: float
    who: str | None = None
    """Name of the assignee, who also tells of the work."""
    description: str | None = None
    gear_id: str | None = None
    blocking_reason: str | None = None
    steps: tuple[str, ...] = ()
    steps_done: int = 0
    told: tuple[str, ...] = ()
    """The daily updates, oldest first."""
    days: float = 5.0
    """How long it took, where it is done."""


TEAM: Final = (
    Person("Amara Okafor", "amara.okafor@example.com"),
    Person("Björn Lindqvist", "bjorn.lindqvist@example.com"),
    Person("Chen Wei", "chen.wei@example.com"),
    Person("Daniela Ruiz", "daniela.ruiz@example.com"),
    Person("Elif Demir", "elif.demir@example.com"),
    Person("Farid Haddad", "farid.haddad@example.com"),
    Person("Grace Mwangi", "grace.mwangi@example.com"),
    Person("Hugo Martin", "hugo.martin@example.com", active=False),
)

STORIES: Final = (
    Story(
        "Replace the hydraulic pump of the east crane",
        "High",
        "In Progress",
        6.2,
        "Björn Lindqvist",
        "Pressure drops below 180 bar under load. The spare pump is in rack C4.",
        "2041",
        steps=(
            "Lock out and drain the circuit",
            "Fit the new pump",
            "Flush and refill",
            "Load test with the inspector",
        ),
        steps_done=2,
        told=(
            "Circuit drained, old pump is out. The coupling is worn as well, ordered a new one.",
            "Coupling arrived at noon. New pump is seated, torqued to the sheet.",
            "Flushing today. Load test is booked for tomorrow morning.",
        ),
    ),
    Story(
        "Calibrate the weighbridge after the frost",
        "High",
        "Blocked",
        8.5,
        "Chen Wei",
        "Readings drift by 40 kg between morning and afternoon.",
        "3310",
        blocking_reason="Waiting for the certified test weights; the carrier says Thursday.",
        steps=("Check the load cells", "Clean the gaps under the deck", "Calibrate with 20 t of test weights"),
        steps_done=2,
        told=(
            "All six cells answer. Number 4 is at the edge of its range.",
            "Gaps cleaned, a lot of gravel. Drift is down to 15 kg, still too much.",
        ),
    ),
    Story(
        "Write the handover sheet for the night shift",
        "Medium",
        "Done",
        16.3,
        "Amara Okafor",
        "One page: what runs, what does not, whom to call.",
        steps=("Collect what the last four weeks asked for", "Draft", "Try it for three nights"),
        steps_done=3,
        told=(
            "Draft is on the board, please scribble on it.",
            "Three nights, two questions, both answered on the sheet.",
        ),
        days=6,
    ),
    Story(
        "Order winter tyres for the loaders",
        "Low",
        "Done",
        19.1,
        "Daniela Ruiz",
        gear_id="1187",
        told=("Two offers are in, the cheaper one delivers a week later.", "Ordered. Delivery on the 4th."),
        days=3,
    ),
    Story(
        "Find out why conveyor 2 stops at noon",
        "High",
        "In Progress",
        3.4,
        "Elif Demir",
        "Four stops this week, always between 11:50 and 12:10, no alarm in the log.",
        "2207",
        steps=("Log the supply voltage", "Check the thermal relay", "Compare with the canteen's ovens"),
        steps_done=1,
        told=(
            "Logger is on since this morning.",
            "Voltage dips by 9 % at 11:52. Nothing of ours starts then, asking next door.",
        ),
    ),
    Story(
        "Plan the yearly inspection of the fall protection",
        "Medium",
        "To Do",
        2.2,
        "Grace Mwangi",
        "32 harnesses, 11 lanyards. The inspector has two days in the third week.",
        steps=("List what is due", "Book the inspector", "Tell the crews which days they go without"),
    ),
    Story("Label the new shelves in store B", "Low", "To Do", 1.3, None, "Labels are printed and lie on the desk."),
    Story(
        "Move the gas cylinders out of the passage",
        "High",
        "Done",
        11.6,
        "Farid Haddad",
        "Found during the walk-round; the cage behind hall 3 is free.",
        "4102",
        steps=("Clear the cage", "Move and chain the cylinders", "New sign at the passage"),
        steps_done=3,
        told=("Cage is clear. Moving them tomorrow before the deliveries.", "All moved and chained. Sign is up."),
        days=2,
    ),
    Story(
        "Teach two more people the laser alignment",
        "Medium",
        "In Progress",
        12.4,
        "Chen Wei",
        "If one of us is ill nobody can align a motor.",
        steps=("Grace", "Farid"),
        steps_done=1,
        told=("Did the fan motor with Grace, she can do the next one alone.", "Farid starts on Monday."),
    ),
    Story(
        "Repair the roller door of hall 1",
        "Medium",
        "Blocked",
        5.1,
        "Farid Haddad",
        gear_id="1002",
        blocking_reason="The maker stopped making the drive; two offers for another one are with the office.",
        told=("Spring is fine, the drive's gear is gone. No spare part any more.",),
    ),
    Story(
        "Count the filters and set a minimum stock",
        "Low",
        "Done",
        21.2,
        "Grace Mwangi",
        steps=("Count", "Look up last year's use", "Set the minimum in the list"),
        steps_done=3,
        told=("Counted: 14 oil, 9 air, no pilot filters at all.", "Minimum is set, six pilot filters are ordered."),
        days=4,
    ),
    Story(
        "Grease plan for the new excavator",
        "Medium",
        "In Progress",
        4.6,
        "Daniela Ruiz",
        "The maker's plan assumes 8 hours a day, ours runs 14.",
        "2950",
        steps=("Read the manual", "Ask the maker for 14 hours", "Put the plan into the cab"),
        steps_done=2,
        told=("The maker answered: every 6 hours for the bucket linkage, the rest twice a shift.",),
    ),
    Story("Return the borrowed torque wrench", "Low", "To Do", 0.7, "Björn Lindqvist"),
    Story(
        "Check the emergency lighting",
        "High",
        "To Do",
        1.8,
        "Farid Haddad",
        "Monthly test was missed twice. Hall 2 first, that is where the lamps are oldest.",
        steps=("Hall 2", "Hall 1", "Hall 3", "Stairs", "Write the protocol"),
    ),
    Story(
        "Photos of all type plates",
        "Low",
        "In Progress",
        9.7,
        "Elif Demir",
        "So that nobody has to climb up for a serial number.",
        steps=("Hall 1", "Hall 2", "Hall 3", "Yard"),
        steps_done=2,
        told=("Halls 1 and 2 are done, 61 plates. Two cannot be read any more.",),
    ),
    Story(
        "Agree on the colours of the lock-out tags",
        "Medium",
        "Done",
        14.8,
        "Amara Okafor",
        told=("Red for mechanical, blue for electrical, as the neighbours have it.",),
        days=1.5,
    ),
    Story(
        "Quote for noise measurements at the crusher",
        "Medium",
        "To Do",
        3.0,
        None,
        "Three companies are on the list from last time.",
        "3377",
    ),
    Story(
        "Repaint the walkways before the audit",
        "Medium",
        "Blocked",
        7.3,
        "Grace Mwangi",
        blocking_reason="The floor has to be dry for 48 hours, and it rains in at gate 2 until the roof is sealed.",
        steps=("Degrease", "Tape", "Paint", "Close off overnight"),
        steps_done=1,
        told=("Degreased between gate 1 and the stairs.", "Rain again. I will look at the forecast on Friday."),
    ),
    Story(
        "Spare keys for the tool cribs",
        "Low",
        "Done",
        18.0,
        "Hugo Martin",
        told=("Copied and hung in the key safe.",),
        days=1,
    ),
    Story(
        "Try the new bearing sensor on the fan",
        "Medium",
        "In Progress",
        2.6,
        "Amara Okafor",
        "It was free for four weeks; after that we have to know whether we want twelve of them.",
        "2208",
        steps=("Mount it", "Two weeks of readings", "Compare with the hand-held", "Decide"),
        steps_done=1,
        told=("Mounted on the drive side, readings every ten minutes. Looks plausible.",),
    ),
)
"""Twenty of them, so that a first look shows all states, priorities, and what a long list looks like."""
