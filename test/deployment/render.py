"""Renders a chart as `helm template` does, for machines without it. Arguments: chart, file with values as JSON."""

import json
import sys

import helm_python

chart_folder, values_file = sys.argv[1:]
with open(values_file) as file:
    values = json.load(file)
with helm_python.Chart.load(chart_folder) as chart:
    try:
        rendered = chart.render(values, name="demo", namespace="default")
    except helm_python.HelmError as error:
        sys.exit(str(error))
for name, text in sorted(rendered.items()):
    if name.endswith(".yaml") and text.strip():
        print(f"---\n{text}")
