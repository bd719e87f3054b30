"""How fast losscli is and how much memory it takes, beside what one would use otherwise.

``python -m tests.benchmarks`` measures everything; ``docs/benchmarks.md`` says what that is.

``data`` makes the files, ``jobs`` says what is run, ``targets`` what is asked of it, ``measure`` runs one process,
``rounds`` runs all of them in turns, ``results`` judges, ``report`` and ``figures`` show. What the others do stands in
``programs/``, each as one would write it.
"""
