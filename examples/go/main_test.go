package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestStatus(t *testing.T) {
	recorder := httptest.NewRecorder()
	started := time.Now().Add(-2 * time.Hour)
	router(started).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	if body := recorder.Body.String(); !strings.Contains(body, `"since":"2 hours ago"`) {
		t.Errorf("answered %s", body)
	}
}
