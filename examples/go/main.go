// Command status answers how long it has been up.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

type answer struct {
	Status string `json:"status"`
	Since  string `json:"since"`
}

func router(started time.Time) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := answer{Status: "up", Since: humanize.Time(started)}
		if err := json.NewEncoder(w).Encode(body); err != nil {
			log.Print(err)
		}
	})
	return r
}

func main() {
	address := flag.String("listen", ":8080", "where to listen")
	flag.Parse()
	log.Printf("listening on %s", *address)
	log.Fatal(http.ListenAndServe(*address, router(time.Now())))
}
