"""What the commands of `nightdesk` do and say, a module each; `flows.cli` names them and their options."""
