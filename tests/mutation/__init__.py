"""Do the tests notice a changed operator or constant? ``python -m tests.mutation`` changes one at a time and counts.

All tests are collected once; for each mutant a fork of that process exchanges the code of one function, or the value of
one constant, and runs those tests that go through it until one fails. No file is changed.
"""
