"""Writes made-up tables of the same form as well-known ones: names, kinds of columns, missing values and separators.

Their values follow simple rules with noise, so that a small network learns them well, but not perfectly. Each row is
drawn on its own; test rows are further draws. The same seed gives the same files.
"""
import csv
import dataclasses
import io
import math
import pathlib
import random
import typing


@dataclasses.dataclass(frozen=True)
class Table:
    file: str  # its name, with the ending that such files have
    target: str  # for --target
    header: list  # names of the columns; empty: the file has no header
    rows: int  # of the well-known table
    row: typing.Callable  # row(random, number): the cells of one row as texts; `number` counts from 1
    separator: str = ","
    classes: bool = True
    test_rows: int = 2000  # many, so that the accuracy says more about the training than about these rows

    def lines(self, first, count, seed):
        source = random.Random(f"{self.file} {seed} {first}")
        return [self.row(source, number) for number in range(first, first + count)]

    def write(self, folder, seed=1):
        """Writes FILE and test-FILE to `folder`. Returns their paths."""
        folder = pathlib.Path(folder)
        paths = folder / self.file, folder / f"test-{self.file}"
        for path, first, count in zip(paths, (1, self.rows + 1), (self.rows, self.test_rows)):
            path.write_text(self.text(self.lines(first, count, seed)))
        return paths

    def text(self, lines):
        lines = [self.header] * bool(self.header) + lines
        if self.separator == ", ":
            return "".join(", ".join(line) + "\n" for line in lines)
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerows(lines)
        return out.getvalue()


def pick(source, weights):
    """One of the keys of `weights`, with a probability proportional to its value."""
    return source.choices(list(weights), list(weights.values()))[0]


def chance(score):
    return 1 / (1 + math.exp(-score))


IRIS = {"setosa": ((5.0, 3.4, 1.46, 0.25), (0.35, 0.38, 0.17, 0.1)),
        "versicolor": ((5.94, 2.77, 4.26, 1.33), (0.51, 0.31, 0.47, 0.2)),
        "virginica": ((6.59, 2.97, 5.55, 2.03), (0.63, 0.32, 0.55, 0.27))}


def iris_row(source, _):
    species = source.choice(list(IRIS))
    size = source.gauss(0, 0.8)  # a large flower has large leaves
    cells = [mean + deviation * (0.9 * source.gauss(0, 1) + size) for mean, deviation in zip(*IRIS[species])]
    return [f"{max(cell, 0.1):.1f}" for cell in cells] + [species]


def titanic_row(source, number):
    sex = pick(source, {"male": 0.65, "female": 0.35})
    class_ = int(pick(source, {"1": 0.24, "2": 0.21, "3": 0.55}))
    age = max(0.5, source.gauss(42 - 5.5 * class_, 13))
    relatives, children = (min(int(source.expovariate(1.3)), 5) for _ in range(2))
    fare = math.exp(source.gauss(5.1 - 0.85 * class_, 0.45)) * (1 + 0.3 * (relatives + children))
    port = pick(source, {"S": 0.72, "C": 0.19, "Q": 0.09})
    score = 8 - 2.6 * class_ - 5.4 * (sex == "male") - 1.5 * (age > 50) + 3 * (age < 14) - 0.8 * relatives
    survived = int(source.random() < chance(1.1 * score + 0.8 * (port == "C")))
    title = "Mr." if sex == "male" else source.choice(["Mrs.", "Miss."])
    name = f'Made-Up{number}, {title} Some "Body" X{number % 7}'
    cabin = f"{'ABC'[source.randrange(3)]}{source.randrange(1, 4)}" if class_ == 1 and source.random() < 0.8 else ""
    return [str(number), str(survived), str(class_), name, sex, f"{age:.0f}" if source.random() < 0.8 else "",
            str(relatives), str(children), f"A/5 {20000 + number}", f"{fare:.4f}", cabin,
            port if source.random() < 0.99 else ""]


EDUCATION = {"HS-grad": 9, "Some-college": 10, "Bachelors": 13, "Masters": 14, "11th": 7, "Assoc-voc": 11,
             "Assoc-acdm": 12, "10th": 6, "7th-8th": 4, "Prof-school": 15, "9th": 5, "Doctorate": 16}
OCCUPATION = {"Prof-specialty": 1.5, "Craft-repair": 0.2, "Exec-managerial": 1.8, "Adm-clerical": -0.3, "Sales": 0.6,
              "Other-service": -1.5, "Machine-op-inspct": -0.5, "Transport-moving": -0.2, "Handlers-cleaners": -1.2,
              "Farming-fishing": -1.4, "Tech-support": 0.9, "Protective-serv": 0.8}
COUNTRIES = ["United-States"] + ["Mexico", "Philippines", "Germany", "Canada", "Puerto-Rico", "India", "Cuba",
                                 "England", "China", "Jamaica", "South", "Italy", "Japan", "Vietnam"]


def adult_row(source, _):
    def known(text, share):
        return text if source.random() < share else "?"

    age = min(17 + int(source.gammavariate(2.3, 9.5)), 90)
    education = pick(source, {name: 1 / (1 + abs(years - 10)) for name, years in EDUCATION.items()})
    occupation = source.choice(list(OCCUPATION))
    sex = pick(source, {"Male": 0.67, "Female": 0.33})
    married = source.random() < chance((age - 30) / 6)
    partner = ("Husband" if sex == "Male" else "Wife") if married else \
        source.choice(["Not-in-family", "Own-child", "Unmarried", "Other-relative"])
    status = "Married-civ-spouse" if married else source.choice(["Never-married", "Divorced", "Separated", "Widowed"])
    hours = max(1, min(99, round(source.gauss(41, 11))))
    gain = round(math.exp(source.gauss(8.5, 1))) if source.random() < 0.08 else 0
    loss = round(source.gauss(1900, 300)) if source.random() < 0.05 else 0
    score = (3.2 * married + 0.45 * (EDUCATION[education] - 10) + 1.1 * OCCUPATION[occupation] + 0.05 * (hours - 40)
             - 0.004 * (age - 48) ** 2 + (gain > 5000) * 5 + (loss > 1800) * 2 - 3.2)
    work = pick(source, {"Private": 0.75, "Self-emp-not-inc": 0.08, "Local-gov": 0.07, "State-gov": 0.05,
                         "Federal-gov": 0.05})
    race = pick(source, {"White": 0.85, "Black": 0.1, "Asian-Pac-Islander": 0.03, "Other": 0.02})
    country = known(pick(source, {name: 0.005 for name in COUNTRIES} | {"United-States": 0.9}), 0.98)
    return [str(age), known(work, 0.95), str(round(math.exp(source.gauss(12, 0.5)))), education,
            str(EDUCATION[education]), status, known(occupation, 0.94), partner, race, sex, str(gain), str(loss),
            str(hours), country, ">50K" if source.random() < chance(1.4 * score) else "<=50K"]


def quality_row(source, _):
    alcohol, acid, sulphates = source.gauss(10.4, 1.0), source.gauss(0.53, 0.17), source.gauss(0.66, 0.15)
    sugar, chlorides = math.exp(source.gauss(0.8, 0.4)), math.exp(source.gauss(-2.5, 0.3))
    free = source.gammavariate(2.2, 7)
    density = 0.9967 - 0.0012 * (alcohol - 10.4) + 0.0004 * (sugar - 2.4) + source.gauss(0, 0.0006)
    score = (0.62 * (alcohol - 10.4) - 2.9 * (acid - 0.53) + 3.4 * min(sulphates - 0.66, 0.2)
             - 1.5 * (chlorides - 0.08) + source.gauss(0, 0.12))
    quality = max(3, min(8, round(5.6 + 0.75 * score)))
    return [f"{source.gauss(8.3, 1.7):.1f}", f"{acid:.3f}", f"{max(0, source.gauss(0.27, 0.19)):.2f}", f"{sugar:.1f}",
            f"{chlorides:.3f}", f"{free:.0f}", f"{free + source.gammavariate(2, 15):.0f}", f"{density:.5f}",
            f"{source.gauss(3.31, 0.15):.2f}", f"{sulphates:.2f}", f"{alcohol:.1f}", str(quality)]


# Means of the classes and the deviation of a class, for each of the 13 columns.
WINE = [((13.7, 12.3, 13.1), 0.55), ((2.0, 1.9, 3.3), 0.9), ((2.46, 2.24, 2.44), 0.27), ((17.0, 20.2, 21.4), 3.0),
        ((106, 95, 99), 14), ((2.84, 2.26, 1.68), 0.5), ((2.98, 2.08, 0.78), 0.6), ((0.29, 0.36, 0.45), 0.12),
        ((1.9, 1.63, 1.15), 0.55), ((5.5, 3.1, 7.4), 1.6), ((1.06, 1.06, 0.68), 0.16), ((3.16, 2.79, 1.68), 0.45),
        ((1116, 520, 630), 220)]


def wine_row(source, _):
    kind = source.randrange(3)
    noise = 2.2  # the well-known table is separated almost perfectly
    return [str(kind + 1)] + [f"{abs(means[kind] + noise * deviation * source.gauss(0, 1)):.4g}"
                              for means, deviation in WINE]


COAST = {"<1H OCEAN": 30000, "INLAND": -60000, "NEAR BAY": 25000, "NEAR OCEAN": 40000, "ISLAND": 90000}


def housing_row(source, _):
    near = pick(source, {"<1H OCEAN": 0.44, "INLAND": 0.32, "NEAR BAY": 0.11, "NEAR OCEAN": 0.12, "ISLAND": 0.01})
    latitude = source.uniform(32.5, 41.9)
    longitude = -119.6 - 0.85 * (latitude - 35.6) + source.gauss(0, 0.8) + (near == "INLAND")
    age = min(52, max(1, round(source.gauss(29, 12))))
    income = min(15.0, math.exp(source.gauss(1.15, 0.55)))
    households = math.exp(source.gauss(6.0, 0.7))
    rooms = households * max(1, source.gauss(4 + 0.4 * income, 0.6))
    people = households * max(1, source.gauss(2.9, 0.5))
    value = (COAST[near] + 36000 * income + 9000 * math.sin(2 * latitude) * income / 3 + 900 * (age - 29)
             + 12000 * (rooms / people - 2) + 80000)
    value = min(500001, max(15000, value * math.exp(source.gauss(0, 0.11))))
    bedrooms = f"{rooms * source.gauss(0.2, 0.02):.1f}" if source.random() < 0.99 else ""
    return [f"{longitude:.2f}", f"{latitude:.2f}", f"{age:.1f}", f"{rooms:.1f}", bedrooms, f"{people:.1f}",
            f"{households:.1f}", f"{income:.4f}", f"{value:.1f}", near]


QUALITY_HEADER = ["fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides",
                  "free sulfur dioxide", "total sulfur dioxide", "density", "pH", "sulphates", "alcohol", "quality"]
HOUSING_HEADER = ["longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population",
                  "households", "median_income", "median_house_value", "ocean_proximity"]
TITANIC_HEADER = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Ticket", "Fare",
                  "Cabin", "Embarked"]

TABLES = {
    "iris": Table("iris.csv", "species", ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"],
                  150, iris_row),
    "titanic": Table("titanic.csv", "Survived", TITANIC_HEADER, 891, titanic_row),
    "adult": Table("adult.data", "-1", [], 8000, adult_row, separator=", "),
    "wine quality": Table("winequality-red.csv", "quality", QUALITY_HEADER, 1599, quality_row, separator=";"),
    "wine": Table("wine.data", "1", [], 178, wine_row),
    "housing": Table("housing.csv", "median_house_value", HOUSING_HEADER, 5000, housing_row, classes=False),
}
