package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// certificate is a key pair on disk that is read again when one of its files changed, so that
// a renewed certificate needs no restart.
type certificate struct {
	// Set by loadCertificate.
	certFile, keyFile string
	log               zerolog.Logger

	mu sync.Mutex
	// Guarded by mu.
	pair    *tls.Certificate
	changed [2]time.Time // of the two files when they were last read
}

// loadCertificate reads the pair for the first time.
func loadCertificate(certFile, keyFile string, log zerolog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	changed, err := c.stat()
	if err != nil {
		return nil, fmt.Errorf("read --tls-cert and --tls-key: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read --tls-cert and --tls-key: %w", err)
	}
	c.pair, c.changed = &pair, changed
	return c, nil
}

// config is for a listener that speaks HTTP/1.1 alone, which is what WebSocket begins with.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.get}
}

// get is called for each handshake. A pair that cannot be read leaves the old one in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, err := c.stat()
	if err == nil && changed == c.changed {
		return c.pair, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.pair = &pair
			c.log.Info().Msg("certificate read again")
		}
	}
	if err != nil && changed != c.changed {
		c.log.Error().Err(err).Msg("certificate cannot be read; the old one stays in use")
	}
	c.changed = changed
	return c.pair, nil
}

// stat gives the times of both files; a zero time stands for one that cannot be read.
func (c *certificate) stat() (changed [2]time.Time, err error) {
	for i, file := range []string{c.certFile, c.keyFile} {
		info, statErr := os.Stat(file)
		if statErr != nil {
			err = statErr
			continue
		}
		changed[i] = info.ModTime()
	}
	return changed, err
}
