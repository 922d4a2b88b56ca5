mod blobs;
mod built;
mod fixtures;
mod mutants;
mod odd;
