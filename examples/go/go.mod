module example.com/status

go 1.24

require (
	github.com/dustin/go-humanize v1.0.1
	github.com/go-chi/chi/v5 v5.2.1
)
