#!/usr/bin/env python3
"""record.py > numbers.txt: what others say about a single warehouse (pip install numpy stockpyl).

newsvendor HOLDING STOCK_OUT MEAN LEAD_TIME LEVEL COST: stockpyl's base-stock level and cost of a step for Poisson
demand of MEAN in a step, owed when unmet. The level covers the demand of LEAD_TIME + 1 steps.
optimum LEAD_TIME AMPLITUDE EPISODE_STEPS VALUE: the least mean cost of an episode of one warehouse with the other
settings at retail's defaults, by dynamic programming over dense arrays: a second program, written for this file alone.
Recorded with stockpyl 1.0.2 and NumPy 2.4.6."""

import itertools
import math

import numpy as np
from stockpyl.newsvendor import newsvendor_poisson


def newsvendor():
    for holding, stock_out, mean, lead_time in ((0.1, 10, 1, 0), (0.1, 10, 2, 2), (1, 4, 3, 1), (0.5, 10, 6, 3)):
        level, cost = newsvendor_poisson(holding, stock_out, mean * (lead_time + 1))
        print("newsvendor", holding, stock_out, mean, lead_time, int(level), repr(float(cost)))


def optimum(lead_time, amplitude, steps):
    """In half units: orders 0 … 3, customers want 8. cost_to_go[stock, order arriving first, …, last], before the
    first arrives."""
    unit, orders, lot, most = 0.5, 4, 8, 260
    cost_to_go = np.zeros((most + 1,) + (orders,) * lead_time)
    stocks = np.arange(most + 1)
    for step in reversed(range(steps)):
        mean = (1 + amplitude * math.sin(2 * math.pi * (step % 52) / 52)) / 4
        law = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(60)]

        def after_sale(rest):
            """Expected cost by stock after arrivals, with `rest` the orders still to come."""
            total = np.zeros(most + 1)
            for customers, probability in enumerate(law):
                left = stocks - lot * customers
                dollars = unit * (10 * np.maximum(-left, 0) + 0.1 * np.maximum(left, 0))
                total += probability * (dollars + cost_to_go[(np.maximum(left, 0),) + rest])
            return total

        now = np.full_like(cost_to_go, np.inf)
        for coming in itertools.product(range(orders), repeat=lead_time):
            for order in range(orders):
                line = coming + (order,)
                costs = after_sale(line[1:])
                now[(slice(None),) + coming] = np.minimum(
                    now[(slice(None),) + coming], costs[np.minimum(stocks + line[0], most)]
                )
        cost_to_go = now
    print("optimum", lead_time, amplitude, steps, repr(float(cost_to_go[(8,) + (2,) * lead_time])))


newsvendor()
for lead_time, amplitude, steps in ((0, 0.6, 52), (1, 0.6, 52), (2, 0.6, 52), (2, 0.0, 20)):
    optimum(lead_time, amplitude, steps)
