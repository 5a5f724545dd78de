"""Small programs that tests run on a pseudo-terminal."""
