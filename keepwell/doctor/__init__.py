"""What `keepwell doctor` looks at: one module for each thing that can be wrong, each finding with its remedy."""
