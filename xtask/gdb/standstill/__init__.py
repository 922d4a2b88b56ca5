"""What the `ss` commands are made of. The kernel's memory is read through `memory`; nothing here changes the machine but
`machine.boot`, which lets it run."""
