"""What the binder is made of: template, fonts, their coverage, and the text they can show."""
