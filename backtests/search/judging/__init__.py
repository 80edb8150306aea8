"""What a sweep's best row is worth: overfitting statistics, and what they say in words."""
