package main

import (
	"strings"
	"testing"
	"time"
)

func TestValuesAreReadAndShown(t *testing.T) {
	var (
		bytes   int64
		period  time.Duration
		rate    float64
		count   int
		on      bool
		origins []string
	)
	for _, row := range []struct {
		value     value
		set, want string
	}{
		{size(&bytes, 0, 1<<40), "256KiB", "256KiB"},
		{size(&bytes, 0, 1<<40), "64k", "64KiB"},
		{size(&bytes, 0, 1<<40), "64 KiB", "64KiB"},
		{size(&bytes, 0, 1<<40), "1024K", "1MiB"},
		{size(&bytes, 0, 1<<40), "1M", "1MiB"},
		{size(&bytes, 0, 1<<40), "2MiB", "2MiB"},
		{size(&bytes, 0, 1<<40), "3G", "3GiB"},
		{size(&bytes, 0, 1<<40), "1000", "1000"},
		{size(&bytes, 0, 1<<40), "1000B", "1000"},
		{size(&bytes, 0, 1<<40), "0", "0"},
		{span(&period, 0, time.Hour), "120s", "2m"},
		{span(&period, 0, time.Hour), "1h", "1h"},
		{span(&period, 0, time.Hour), "90s", "1m30s"},
		{span(&period, 0, time.Hour), "0", "0s"},
		{span(&period, 0, time.Hour), "20m0s", "20m"},
		{number(&rate, 0, 10), "2.5", "2.5"},
		{whole(&count, 1, 10), " 7 ", "7"},
		{toggle(&on), "true", "true"},
		{toggle(&on), "0", "false"},
		{list(&origins, origin), "https://a.example, http://b.example:8080,", "https://a.example,http://b.example:8080"},
		{list(&origins, origin), "", ""},
	} {
		if err := row.value.Set(row.set); err != nil || row.value.String() != row.want {
			t.Errorf("%s %q: got %q, %v, want %q, nil", row.value.Type(), row.set, row.value.String(), err, row.want)
		}
	}
}

func TestValuesThatAreRefusedStayAsTheyWere(t *testing.T) {
	var (
		bytes   int64 = 5
		period        = 5 * time.Second
		rate          = 5.0
		count         = 5
		on            = true
		word          = "echo"
		origins       = []string{"https://a.example"}
	)
	for _, row := range []struct {
		value value
		set   string
		want  string // the error says so
	}{
		{size(&bytes, 1, 1<<30), "0", "want a size from 1 to 1GiB"},
		{size(&bytes, 1, 1<<30), "-1k", "want a size"},
		{size(&bytes, 1, 1<<30), "2G", "want a size"},
		{size(&bytes, 1, 1<<30), "9999999999999G", "want a size"},
		{size(&bytes, 1, 1<<30), "1.5M", "want a size"},
		{size(&bytes, 1, 1<<30), "", "want a size"},
		{size(&bytes, 1, 1<<30), "KiB", "want a size"},
		{span(&period, time.Second, time.Hour), "2", "want a duration from 1s to 1h"},
		{span(&period, time.Second, time.Hour), "-2s", "want a duration"},
		{span(&period, time.Second, time.Hour), "61m", "want a duration"},
		{number(&rate, 0, 10), "NaN", "want a number from 0 to 10"},
		{number(&rate, 0, 10), "Inf", "want a number"},
		{number(&rate, 0, 10), "-1", "want a number"},
		{whole(&count, 1, 10), "0", "want a whole number from 1 to 10"},
		{whole(&count, 1, 10), "2.0", "want a whole number"},
		{toggle(&on), "yes", "want true or false"},
		{text(&word, oneOf("echo", "openai")), "ecko", "want echo or openai"},
		{text(&word, address), "3001", "want host:port"},
		{text(&word, address), "localhost:http", "want host:port"},
		{text(&word, address), ":70000", "want host:port"},
		{list(&origins, origin), "https://a.example/", "want scheme://host"},
		{list(&origins, origin), "https://a.example,b.example", "want scheme://host"},
		{list(&origins, origin), "https://*.example", "want scheme://host"},
		{list(&origins, origin), "https://me@a.example", "want scheme://host"},
		{list(&origins, origin), "*", "want scheme://host"},
		{list(&origins, origin), "null", "want scheme://host"},
	} {
		before := row.value.String()
		err := row.value.Set(row.set)
		if err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s %q: %v, want %q", row.value.Type(), row.set, err, row.want)
		}
		if got := row.value.String(); got != before {
			t.Errorf("%s %q: the value became %q, want %q as before", row.value.Type(), row.set, got, before)
		}
	}
}
