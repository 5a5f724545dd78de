"""Video links: addresses from which a player on somebody's own machine takes full-rate video for a while."""
