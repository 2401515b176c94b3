"""English subjects of the built-in web that are not mathematics, many of them full of numbers.

They use the words of mathematics in their everyday sense (sum, product, function, set, proof, square, degree,
ratio, root, solution) on purpose: a classifier must not live on single words.
"""

from mini.text.grammar import Vertical, lexicon, lines

COMMON = lexicon(
    """
    name: Anna | Bo | Clara | Dmitri | Elif | Farid | Greta | Hugo | Ines | Jonas | Keiko | Lars | Mira
    | Nadia | Olga | Pavel
    last: Albrecht | Bauer | Castell | Dorn | Eklund | Farkas | Grieve | Halloran | Ivers | Joubert | Kolb
    | Lindqvist | Moreau
    town: Ashby | Brandholm | Carrow | Dunmere | Eastwick | Fallow Bay | Glenrock | Harlan | Ivory Quay
    | Juniper Falls | Kelso
    month: January | February | March | April | May | June | July | August | September | October | November
    | December
    weekday: Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday
    adj: quiet | sturdy | bright | narrow | generous | humble | curious | weathered | crisp | mellow
    | stubborn | tidy | pale
    feel: surprised | relieved | delighted | annoyed | puzzled | grateful | restless | proud | tired | hopeful
    """
)

RECIPES = Vertical(
    titles=lines(
        """
        {dish} with {food} in {m} minutes
        Grandmother {name}'s {dish}
        {adj} {dish} for {n} people
        How to make {dish} with {food} and {herb}
        """
    ),
    headings=lines(
        """
        Ingredients
        Method
        Notes from the kitchen
        How to serve it
        """
    ),
    sentences=lines(
        """
        Heat the oven to {k} degrees and butter a square tin of {m} cm.
        Let the dough prove for {m} minutes under a damp cloth; the proof is in the spring when you press it.
        Whisk {n} eggs with {tens} g of sugar until the mixture doubles in volume.
        Fold in the {food} and a handful of {herb}, then set the bowl aside.
        The ratio that works for me is {n} parts flour to {n} parts water.
        Divide the mixture into {n} equal portions and roll each one thin.
        Simmer the {food} over low heat for {m} minutes, stirring whenever you remember.
        Season with {herb}, a pinch of salt and the juice of half a lemon.
        My {adj} aunt in {town} adds {food} at the very end, and she is right.
        If the sauce is too thick, add {tens} ml of stock and reduce it once more.
        It keeps {n} days in the fridge and freezes well in small tins.
        Serve warm with {food}, and expect to be asked for the solution to the mystery of the crust.
        Root vegetables take longer, so cut the {food} into cubes of {n} mm.
        The function of the vinegar is to keep the {food} firm.
        Per serving this comes to {k} calories, {m} g of carbohydrate and {n} g of fat.
        Chop the {food} finely; the sum of small pieces cooks faster than one large one.
        I tested it {n} times last {month} and the tin from {town} browned best.
        Leave the {dish} to rest, sliced {food} on top, before anyone touches it.
        """
    ),
    rows=lines(
        """
        {tens} g {food}
        {n} tablespoons {herb}
        {tens} ml milk
        {n} cloves garlic
        1/{n} teaspoon {herb}
        {n} large eggs
        {k} g {food}, chopped
        """
    ),
    words=COMMON
    | lexicon(
        """
        dish: lentil soup | rye bread | apple cake | fish pie | dumplings | bean stew | walnut rolls
        | lemon tart | barley risotto | mushroom pasta | plum crumble | pea fritters
        food: carrots | leeks | chickpeas | walnuts | smoked trout | red cabbage | pears | buckwheat
        | butter beans | spinach | celeriac | dried plums | goat cheese | parsnips | sweet corn
        herb: dill | thyme | cumin | parsley | nutmeg | paprika | sage | coriander seed | chives | cinnamon
        """
    ),
)

SPORT = Vertical(
    titles=lines(
        """
        {team} {score} {team}: match report
        {team} win the series {score}
        {month} results and table
        {last} sets a season record in {town}
        """
    ),
    headings=lines(
        """
        How it happened
        Results
        What they said
        Next fixtures
        """
    ),
    sentences=lines(
        """
        {team} beat {team} {score} in front of {k} people at {town}.
        {last} took the first set 6-{n} and lost the second in a tie-break.
        The lead was {n} points at half time and {n} points with a minute to play.
        {name} {last} scored in the {m}th minute from a narrow angle.
        With {n} wins and {n} draws the club now stands on {m} points.
        The goal difference of {n} could decide the table in {month}.
        Coach {last} was {feel} and called the second half proof of character.
        {last} ran the {k} metres in {decimal} seconds, a product of a hard winter.
        The {adj} defence conceded {n} corners but not a single shot on target.
        A sum of {k} thousand was paid for {last}, who joined from {town} in {year}.
        The return leg is on {weekday} {month} {day} at {clock}.
        {team} have lost only {n} of their last {m} away games.
        The referee added {n} minutes, and in the last of them {last} hit the post.
        In the relay the team's times add up to {decimal}, {n} tenths short of the record.
        {name} {last} averaged {decimal} rebounds and {n} assists over the series.
        Possession was {percent}, passes completed {k}, fouls {n}.
        It was {team}'s first title since {year}, and {town} did not sleep.
        """
    ),
    rows=lines(
        """
        {team} | {n} | {n} | {n} | {m}
        {team} | {score} | {team} | {k}
        {last} | {n} | {decimal} | {m}
        """
    ),
    words=COMMON
    | lexicon(
        """
        team: Ashby Rovers | Carrow United | Dunmere Athletic | Kelso Wanderers | Harlan City
        | Glenrock Stags | Eastwick Harriers | Fallow Bay Gulls | Juniper Falls Bears | Brandholm IF
        """
    ),
)

SHOP = Vertical(
    titles=lines(
        """
        {adj} {thing}, set of {n}
        {thing} {code} with free delivery
        Buy {thing} from ${price}
        {thing} and {thing}: combined offer
        """
    ),
    headings=lines(
        """
        Product details
        Delivery and returns
        Customers also bought
        Specification
        """
    ),
    sentences=lines(
        """
        This {adj} {thing} comes as a set of {n} and weighs only {k} g.
        Order {n} for ${price} each and save {percent} on the total.
        Was ${price}, now ${price} while stocks last.
        The product number is {code}; quote it when you write to us.
        Dimensions are {m} x {m} x {n} cm, with a tolerance of {n} mm.
        Delivery to {town} takes {n} to {n} working days and costs ${price}.
        Spend over ${tens} and the difference in postage is on us.
        The timer function switches the {thing} off after {m} minutes.
        Rated {decimal} out of 50 by {k} customers, {percent} of whom would buy again.
        Returns are accepted within {m} days with proof of purchase.
        Pay in {n} equal parts of ${price} without interest.
        The {thing} has a power of {k} W and a square base that does not slip.
        {name} from {town} wrote: {adj}, arrived on {weekday}, exactly as described.
        Made in {town} since {year} from {percent} recycled steel.
        Subtotal ${price}, postage ${price}, voucher minus ${n}.00, sum to pay at checkout.
        A matching {thing} is available in {n} colours.
        Our warehouse holds {k} units; the counter above is updated at {clock}.
        Batteries ({n} x AA) are not included.
        """
    ),
    rows=lines(
        """
        Weight | {k} g
        Price | ${price}
        Item | {code}
        {thing} | {n} | ${price}
        Size | {m} x {m} cm
        """
    ),
    words=COMMON
    | lexicon(
        """
        thing: desk lamp | garden hose | kettle | tool box | hiking boots | bath towel | wall clock
        | bread knife | rain jacket | phone case | office chair | storage basket | cast iron pan | bicycle pump
        """
    ),
)

STORIES = Vertical(
    titles=lines(
        """
        The {adj} {place} at {town}
        What {name} found
        A {adj} {month}
        Letters from {town}
        """
    ),
    headings=lines(
        """
        Chapter {n}
        The following morning
        Some years earlier
        """
    ),
    sentences=lines(
        """
        {name} had not spoken to {name} since the {adj} evening at the {place}.
        Nobody in {town} could say when the {place} had last been open.
        The {weather} came down from the hills before {clock} and stayed.
        "You might have told me," said {name}, and put the {object} on the table.
        There were {n} steps to the {place}, and she counted them every time.
        He kept the {object} in a {adj} drawer under letters from {year}.
        {name} felt {feel}, which was not the same as being sorry.
        It was no proof of anything, only a {object} and the smell of {weather}.
        In {month} the river rose {n} feet and took the {place} with it.
        They walked without talking past the {place} and the shuttered {place}.
        The product of so many {adj} winters was a man who trusted the {object} more than people.
        "That is a question for {name}," she answered, and for once {name} was not {feel}.
        A set of keys hung by the door, and none of them fitted.
        Somebody had painted the {place} a {adj} green and regretted it.
        The train for {town} left at {clock}, with {name} on the wrong side of the glass.
        For {n} years the {object} was all that remained of {last}.
        The {weather} made the whole street look {adj} and far away.
        When the {last} family came back from {town}, the {object} was gone.
        """
    ),
    words=COMMON
    | lexicon(
        """
        place: lighthouse | mill | post office | chapel | boat yard | orchard | station | library | bakery
        | tannery | inn
        object: brass compass | photograph | music box | umbrella | notebook | pocket watch | porcelain bird
        | map | violin
        weather: fog | snow | wind | drizzle | frost | heat | thunder | smoke
        """
    ),
)

NEWS = Vertical(
    titles=lines(
        """
        {town} council votes on {topic}
        {percent} rise in {topic} costs
        {town}: {topic} dispute enters week {n}
        New {topic} plan for {town} published
        """
    ),
    headings=lines(
        """
        Background
        Reaction
        The figures
        What happens next
        """
    ),
    sentences=lines(
        """
        The council of {town} agreed on {weekday} to spend {k} thousand on {topic}.
        Costs for {topic} rose by {percent} against {year}, according to {last}.
        Of {k} people asked, {percent} were in favour and {percent} had no opinion.
        The sum is {n} times what was set aside in {year}.
        Spokesman {name} {last} said there was no proof that the {topic} scheme had failed.
        Work near the {place} will begin in {month} and take {m} weeks.
        A petition with {k} names was handed in at {clock}.
        Neighbouring {town} solved the same problem with a {adj} compromise.
        The vote was {n} to {n}, with {n} members absent.
        Unemployment stands at {percent}, a difference of {n} points within a year.
        {last} called the decision a product of {adj} planning.
        Residents of {town} were {feel} about the news.
        The function of the new office is to count and to report on {topic}.
        Roughly {percent} of the money comes from the state, the rest from fees.
        An earlier plan by {name} {last} was dropped in {year}.
        Police closed the square by the {place} for {n} hours.
        The next meeting is on {month} {day}; documents are available at the {place}.
        """
    ),
    words=COMMON
    | lexicon(
        """
        topic: bus | housing | flood defence | school meal | library | waste | cycle path | street lighting
        | harbour | hospital | water supply
        place: town hall | old brewery | market | ring road | swimming pool | railway bridge | fire station
        | theatre
        """
    ),
)

SUBJECTS_EN = {"recipes": RECIPES, "sport": SPORT, "shop": SHOP, "stories": STORIES, "news": NEWS}
