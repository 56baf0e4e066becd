package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aila/transport/client"
)

func TestSystemdIsToldOfReadinessLifeAndEnd(t *testing.T) {
	// The path of a socket is short, and that of t.TempDir is not.
	dir, err := os.MkdirTemp("", "aila")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := socket.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	want := func(state string) {
		t.Helper()
		for b := make([]byte, 1024); ; {
			n, err := socket.Read(b)
			if err != nil {
				t.Fatalf("%s was not told: %v", state, err)
			}
			if strings.HasPrefix(string(b[:n]), state) {
				return
			}
		}
	}

	p, err := startProcessWith([]string{"NOTIFY_SOCKET=" + socket.LocalAddr().String(), "WATCHDOG_USEC=50000"}, dir, "--drain-timeout", "2s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	want("READY=1")
	want("WATCHDOG=1")
	want("WATCHDOG=1")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	want("STOPPING=1\nEXTEND_TIMEOUT_USEC=3000000")
	if code, log, err := p.wait(); code != 0 || err != nil {
		t.Errorf("exits %d, %v, want 0; it wrote:\n%s", code, err, log)
	}
}

func TestServeSpeaksTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, "aila.example", time.Now())
	pem, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	trust := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "aila.example"}
	trust.RootCAs.AppendCertsFromPEM(pem)
	p, err := startProcess(dir, "--tls-cert", certFile, "--tls-key", keyFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	if !strings.HasPrefix(p.ws, "wss://") {
		t.Errorf("it listens at %s, want wss", p.ws)
	}

	https := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}
	answer, err := https.Get(p.page + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.TLS.NegotiatedProtocol == "h2" {
		t.Errorf("GET /healthz: %s over %q, want 200 over HTTP/1.1", answer.Status, answer.TLS.NegotiatedProtocol)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	session, err := client.Dial(ctx, p.ws, client.Options{TLS: trust})
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Finish(ctx); err != nil {
		t.Errorf("end of the session: %v, want nil", err)
	}
}

func TestURLsLeadToTheListener(t *testing.T) {
	for _, row := range []struct {
		addr     string
		secure   bool
		ws, page string
	}{
		{"127.0.0.1:3001", false, "ws://127.0.0.1:3001/ws", "http://127.0.0.1:3001/"},
		{"0.0.0.0:80", false, "ws://127.0.0.1:80/ws", "http://127.0.0.1:80/"},
		{"[::]:443", true, "wss://127.0.0.1:443/ws", "https://127.0.0.1:443/"},
		{"[::1]:3001", false, "ws://[::1]:3001/ws", "http://[::1]:3001/"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", row.addr)
		if err != nil {
			t.Fatal(err)
		}
		if ws, page := urls(addr, row.secure); ws != row.ws || page != row.page {
			t.Errorf("urls(%s) = %s, %s, want %s, %s", row.addr, ws, page, row.ws, row.page)
		}
	}
}
