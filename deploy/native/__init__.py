"""What deploy/stack is made of: Python 3.11 and its standard library."""
