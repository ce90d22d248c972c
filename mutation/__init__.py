"""How well the tests would notice: small faults put into `model/`, and whether a test fails.

mutmut makes the faults (`mutation.mutants`, with a few more for tables in
`mutation.tables`), each is run in a process of its own against the tests that reach its
line (`mutation.reach`, `mutation.run`), and docs/mutation.md holds the score
(`mutation.report`). mutmut's own runner can switch faults only inside functions without
decorators, and most of the contract stands in tables beside them.
"""
