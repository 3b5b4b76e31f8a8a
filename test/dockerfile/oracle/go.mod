module oracle

go 1.26

require github.com/moby/buildkit v0.32.2
