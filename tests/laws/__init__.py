"""The four laws: sound, complete, live, one meaning; over generated spaces with contracts."""
