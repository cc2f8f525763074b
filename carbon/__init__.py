"""Pure calculation: energy accounting, power model, factors, footprint. Plain values in, plain values out."""
