"""A shop with three articles."""

import psycopg
from flask import Flask, jsonify, url_for

app = Flask(__name__)
ARTICLES = {"tea": 4.50, "rice": 2.20, "salt": 0.90}


@app.get("/articles")
def articles():
    return jsonify(ARTICLES)


@app.get("/")
def index():
    rows = "".join(f'<li>{name} <span class="price">{price:.2f}</span>' for name, price in ARTICLES.items())
    return f'<link rel="stylesheet" href="{url_for("static", filename="shop.css")}"><ul>{rows}</ul>'


@app.get("/about")
def about():
    return jsonify(libpq=psycopg.pq.version())
