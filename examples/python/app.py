"""The times of high water at a few harbours, as a web page and as JSON."""

from pathlib import Path

import yaml
from flask import Flask, abort, jsonify, render_template

app = Flask(__name__)
TIMES = yaml.safe_load(Path(__file__).with_name("tides.yaml").read_text())


@app.get("/")
def index():
    return render_template("index.html", harbours=sorted(TIMES))


@app.get("/harbours/<name>")
def harbour(name):
    if name not in TIMES:
        abort(404)
    return jsonify(harbour=name, high_water=TIMES[name])
