"""What may be said of a campaign: one idea for each file, pure functions from numbers to numbers.

    signed_rank    the exact distribution behind every paired statement
    intervals      a median over blocks with its exact interval
    paired         two cells of the same block, as a ratio with interval and verdict
    rank_sum       two campaigns that share no block
    bootstrap      blocks drawn with replacement, for what has no exact interval
    holm           many comparisons at once
    noise          A/A twins: noise floor, and the smallest effect that could be seen
    load_curve     peak, plateau, retention and half-decay over clients
    system_curve   efficiency over CPUs
    usl            the Universal Scalability Law, or why it cannot be fitted
    capacity       the most clients under a stated objective
    fairness       what each client got of its share
    steady_state   when a server had settled, and whether it stayed so
    histogram      percentiles of merged histograms, or why they are withheld
    points         the cells that differ in their block only
    workloads      what a plan's workload varies: size, idle clients, offered rate
    comparisons    everybody against the reference
    comparable     may two campaigns be compared at all
    record         analysis.json, written and read
    hypotheses     claims registered before the data, and how they are judged
    source_size    how large and how branching a program text is

Nothing here draws, prints or knows which architecture ought to win.
"""
