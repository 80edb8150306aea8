"""What a desk asks every evening: is it on, what is due, how does this time compare."""
