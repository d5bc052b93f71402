"""kopf, as thin as can be: it lists and watches, and each event goes to whoever asked. It writes nothing."""
