#!/usr/bin/env python3
"""erlang.py > erlang_c.txt: mean latency of M/M/c queues (pip install scipy), a line each: servers, mean service in ms,
arrivals per second, probability to wait, mean latency in ms. Erlang's C by the Poisson law's mass and tail, as
P(wait) = p / (p + (1 − ρ) P(X < c)), p = P(X = c), X Poisson of mean a = c ρ. Recorded with SciPy 1.17.1."""

from scipy.stats import poisson

for servers, service_ms, rate in (
    (1, 20, 25),
    (10, 20, 250),
    (10, 20, 400),
    (10, 20, 450),
    (16, 80, 150),
    (16, 80, 180),
    (40, 200, 180),
):
    offered = rate * service_ms / 1000
    busy = offered / servers
    mass = poisson.pmf(servers, offered)
    waits = mass / (mass + (1 - busy) * poisson.cdf(servers - 1, offered))
    latency = service_ms + waits * service_ms / (servers * (1 - busy))
    print(servers, service_ms, rate, repr(float(waits)), repr(float(latency)))
