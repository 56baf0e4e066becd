package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// writePair writes a certificate for name and its key, as of a time, and returns their files.
func writePair(t *testing.T, dir, name string, at time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeAt(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), at)
	writeAt(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), at)
	return certFile, keyFile
}

func writeAt(t *testing.T, file string, text []byte, at time.Time) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

// wantName shakes hands and compares whose certificate is used.
func wantName(t *testing.T, c *certificate, want string) {
	t.Helper()
	pair, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil || leaf.Subject.CommonName != want {
		t.Errorf("certificate of %q, %v, want %q", leaf.Subject.CommonName, err, want)
	}
}

func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir, at := t.TempDir(), time.Now().Add(-time.Hour)
	var log bytes.Buffer
	certFile, keyFile := writePair(t, dir, "old.example", at)
	c, err := loadCertificate(certFile, keyFile, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	wantName(t, c, "old.example")

	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, dir, "new.example", at.Add(time.Minute))
	newKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	writeAt(t, keyFile, key, at) // the key is not there yet
	wantName(t, c, "old.example")
	wantName(t, c, "old.example")
	if n := strings.Count(log.String(), `"level":"error"`); n != 1 {
		t.Errorf("%d errors logged for one change, want 1:\n%s", n, log.String())
	}
	writeAt(t, keyFile, newKey, at.Add(2*time.Minute))
	wantName(t, c, "new.example")

	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	wantName(t, c, "new.example")
}

func TestCertificateMustBeThereAtTheStart(t *testing.T) {
	dir := t.TempDir()
	_, err := loadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), zerolog.Nop())
	if err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("loadCertificate: %v, want an error that names --tls-cert", err)
	}
}
