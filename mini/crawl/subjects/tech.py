"""More English subjects: software, science other than mathematics, travel, crafts and money."""

from mini.crawl.subjects.en import COMMON
from mini.text.grammar import Vertical, lexicon, lines

CODE = Vertical(
    titles=lines(
        """
        {module}.{verb}_{noun} - API reference
        Using {module} to {verb} a {noun}
        {module} {n}.{n} release notes
        Configuring the {noun} of {module}
        """
    ),
    headings=lines(
        """
        Parameters
        Returns
        Example
        Notes
        """
    ),
    sentences=lines(
        """
        The function {verb}_{noun}() takes a {noun} and returns a new {noun} object.
        Set {noun}_size to {k} if the {noun} is larger than {n} MB.
        If no {noun} is given, the default of {n} is used.
        The sum of all weights is checked when the {noun} is opened.
        Raises ValueError when the {noun} has fewer than {n} entries.
        Since version {n}.{n} the {noun} is a set, so the order of entries is not kept.
        Call {verb}_{noun}() once for each {noun}; it is safe to call from {n} threads.
        The product of {module} and its {noun} cannot be pickled.
        A {noun} variable holds the path, and the equal sign is required in the configuration file.
        Use the square brackets to index the {noun}, as with a list.
        The argument x is the {noun} to {verb}; y is ignored unless {noun}_mode is on.
        See {module}.{verb} for the inverse operation.
        Memory grows with the number of {noun} entries, about {k} bytes each.
        Changed in {n}.{n}: {verb}_{noun}() now accepts a timeout in seconds.
        The root of the {noun} tree is created by {module} at import time.
        A proof of concept is in the examples folder under {verb}_{noun}.
        Errors are written to the log with code {k}.
        The solution is to upgrade {module} or to {verb} the {noun} by hand.
        """
    ),
    rows=lines(
        """
        {noun}_size | int | {k}
        {noun}_mode | bool | False
        {verb}_limit | float | {decimal}
        """
    ),
    words=COMMON
    | lexicon(
        """
        module: tinyqueue | pathlight | gridcache | mailbird | shardkit | tablefy | logwren | httpfern
        | yamlet | cronmoss
        noun: buffer | session | record | cursor | token | stream | worker | header | template | packet
        | handler | index
        verb: open | merge | flush | parse | render | split | encode | schedule | copy | validate | reload
        """
    ),
)

BIOLOGY = Vertical(
    titles=lines(
        """
        {process} of {cell} under {stress} in {animal}
        A survey of {animal} and {cell} in {town} wetlands
        {stress} alters {process} in {animal}
        On the function of {cell} in {animal}
        """
    ),
    headings=lines(
        """
        Abstract
        Methods summary
        Comments
        """
    ),
    sentences=lines(
        """
        We study {process} in {animal} exposed to {stress} for {m} days.
        Samples of {cell} from {k} individuals were collected near {town}.
        Our results show that {stress} reduces {process} by {percent}.
        The function of {cell} in this process remains open.
        We find a significant difference between groups (p < 0.0{n}).
        A set of {m} genes linked to {process} is identified.
        This is the first proof that {animal} regulate {process} through {cell}.
        Growth was measured at {n} degrees and {m} percent humidity.
        The product of this reaction accumulates in {cell} within {n} hours.
        Models of {process} without {stress} fail to explain the data.
        We propose that {cell} act as a barrier against {stress}.
        Mortality rose from {percent} to {percent} in the second season.
        These findings have consequences for the protection of {animal} in {town}.
        The ratio of adult to young {animal} was stable from {year} on.
        Imaging of {cell} was carried out at {k} nm.
        We discuss limits of the method and future work on {stress}.
        """
    ),
    words=COMMON
    | lexicon(
        """
        process: protein folding | cell division | migration | photosynthesis | membrane repair
        | gene silencing | wound healing | spawning | moulting
        cell: root hairs | neurons | gill tissue | stem cells | pollen | muscle fibres | gut bacteria | eggs
        | blood plasma
        stress: drought | low oxygen | copper | heat | acid rain | ultraviolet light | salt | noise | crowding
        animal: brown trout | honey bees | marsh frogs | barley | field mice | mussels | pond snails
        | black terns | oak seedlings
        """
    ),
)

ECONOMY = Vertical(
    titles=lines(
        """
        {market} and {policy}: evidence from {town}
        Does {policy} change {market}?
        {policy} in {year}: a review
        """
    ),
    headings=lines(
        """
        Abstract
        Data
        Remarks
        """
    ),
    sentences=lines(
        """
        This paper asks how {policy} affects {market}, using data on {k} households in {town}.
        We show that {policy} raised prices by {percent} between {year} and {year}.
        A reform in {year} provides variation that is plausibly random.
        The sum of direct and indirect effects is small.
        Firms with fewer than {m} workers respond more to {policy}.
        We argue that {market} function well only when {policy} is credible.
        Estimates imply a loss of {decimal} percent of income.
        The product market is less affected than {market}.
        Results hold for a wide set of controls and for {n} placebo groups.
        A simple model of {market} explains most of the difference.
        There is no proof of strategic behaviour among sellers in {town}.
        Welfare gains are shared equally by buyers and sellers.
        Our findings are in line with earlier work by {last} and {last}.
        The cost of {policy} was {k} million, about {n} per person.
        Interviews with {m} managers support this reading.
        """
    ),
    words=COMMON
    | lexicon(
        """
        market: labour markets | rents | fish auctions | mortgage lending | grain prices | ferry fares
        | school choice | second-hand cars
        policy: rent control | a carbon tax | tariffs | a minimum wage | deposit insurance | land reform
        | price caps | subsidies
        """
    ),
)

TRAVEL = Vertical(
    titles=lines(
        """
        {n} days in {town}
        {town} by {vehicle}: our route
        Cheap {vehicle} from {town} to {town}?
        Where to sleep in {town}
        """
    ),
    headings=lines(
        """
        Getting there
        Day {n}
        What it cost
        """
    ),
    sentences=lines(
        """
        We took the {clock} {vehicle} from {town} and paid {price} for two.
        The {sight} of {town} is {k} metres above the sea and worth every step.
        From the square it is {n} km to the {sight}, all of it uphill.
        Rooms start at {tens} a night, breakfast for {n} included.
        In {month} the days are short and the {sight} closes at {clock}.
        {name} was {feel} that the {vehicle} did not run on {weekday}.
        The total for {n} days came to {k} euros for the two of us, tips not counted.
        Ask for {last} at the {sight}; she tells the best stories about {year}.
        A set of old maps in the {sight} shows the coast before the storm.
        We found a {adj} place by the {sight} with soup for {n} euros.
        The {adj} path to {town} is marked in red and takes {n} hours.
        Next time we would go by {vehicle} and stay {n} nights.
        It rained {decimal} mm on {weekday}, proof that {month} is too early.
        Bring cash: the {sight} takes no cards and the next machine is in {town}.
        The point of the trip was the {sight}, and it was shut.
        Mile {m} of the ride is the steepest, about {n} degrees.
        """
    ),
    words=COMMON
    | lexicon(
        """
        vehicle: night train | ferry | bus | bicycle | tram | hire car | sleeper
        sight: castle | lighthouse | harbour museum | cable car | monastery | waterfall | old market
        | bell tower | salt mine
        """
    ),
)

COMPUTERS = Vertical(
    titles=lines(
        """
        {gadget} does not start after update
        Which {gadget} under {tens} dollars?
        {gadget} is slow, {k} errors in the log
        Help with {gadget} and {part}
        """
    ),
    headings=lines(
        """
        Details
        Log
        """
    ),
    sentences=lines(
        """
        hi all, my {gadget} shuts down after {m} minutes and the {part} gets to {m} degrees
        have you tried to take the {part} out and put it back in
        i paid {tens} for the {gadget} in {month} so it should still be covered
        the function key does nothing, error code is {k}
        same problem here, the solution was a new {part} from {town}
        my guess is the {part}, it can't be the {gadget}
        it has {n} GB of memory and a {k} W supply
        thanks {name}, that worked, i was really {feel}
        please post the {part} model and the first {m} lines of the log
        i did the sums, a second hand {gadget} is cheaper than the {part}
        version {n}.{n} broke it, going back to {n}.{n} fixed it for me
        you need to set the jumper on the {part}, page {m} of the manual
        anyone know what the {adj} light next to the {part} means?
        i get {n} beeps and then nothing, the square one near the {part} is hot
        solved! it was the {part}. marking this thread as answered
        don't buy the {gadget}, {percent} of them fail in a year
        """
    ),
    words=COMMON
    | lexicon(
        """
        gadget: laptop | printer | router | desktop | tablet | scanner | media box | camera
        part: fan | battery | power supply | hard disk | cable | graphics card | driver | memory module | hinge
        """
    ),
)

CRAFT = Vertical(
    titles=lines(
        """
        Build a {object} from {stuff}
        Planting {plant} in {month}
        {stuff} for the garden: what to buy
        The {adj} {object} that took {n} weekends
        """
    ),
    headings=lines(
        """
        What you need
        Step {n}
        Mistakes I made
        """
    ),
    sentences=lines(
        """
        Cut the {stuff} into {n} lengths of {m} cm and keep the rest.
        Mark the centre of the {object} and check that every angle is square.
        Add {n} screws on each side and let the glue set for {m} minutes.
        Plant {plant} {n} cm deep and {m} cm apart, in a row of {tens}.
        The area by the wall gets {n} hours of sun, enough for {plant}.
        Mix {n} parts sand with {n} part compost by volume.
        The {object} cost me {tens} in {stuff}, half of what the shop asks.
        In {month} the roots of {plant} need no water at all.
        Measure twice: my first {object} was {n} mm too wide and the product of haste.
        {name} told me to sand the {stuff} with grade {k}, and it helped.
        A frost of minus {n} degrees is proof enough that {plant} belong inside.
        Multiply the plants by dividing the roots every {n} years.
        The function of the lower board is only to hold the {stuff} off the ground.
        Paint the {object} with {n} thin coats and wait a {weekday} between them.
        From {m} seeds I got {n} {adj} plants, a poor rate.
        Subtract the thickness of the {stuff} on both sides before you cut.
        Next year I will try {plant} behind the {object}.
        """
    ),
    words=COMMON
    | lexicon(
        """
        object: bird table | book shelf | cold frame | garden bench | tool rack | compost bin | wooden gate | stool
        stuff: plywood | oak boards | old pallets | copper pipe | willow rods | pine strips | roof battens
        plant: beans | tulips | raspberries | lavender | leeks | dahlias | tomatoes | sweet peas
        """
    ),
)

SUBJECTS_TECH = {
    "code": CODE,
    "biology": BIOLOGY,
    "economy": ECONOMY,
    "travel": TRAVEL,
    "computers": COMPUTERS,
    "craft": CRAFT,
}
