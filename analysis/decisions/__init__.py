"""What a decision needs of two or more regimes: quantities as data, paired differences, how sure, and by which mechanism."""
