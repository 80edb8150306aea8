"""The studies behind the claims: what is measured, how it is judged, and how it is shown."""
