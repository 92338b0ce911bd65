"""Pages for strategists: small tables digested from runs, figures drawn from them, sentences generated from them."""
