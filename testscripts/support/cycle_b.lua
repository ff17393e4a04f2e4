return require "./support/cycle_a"
