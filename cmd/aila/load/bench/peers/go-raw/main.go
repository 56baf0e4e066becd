// Command go-raw is the floor: a goroutine for each connection that reads a WebSocket frame and
// writes its payload back. No JSON, no base64, no routing: what the kernel and Go's netpoller
// cost by themselves. It speaks only as much WebSocket as loadgen, whose masks are zero.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "3001"
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-raw:", err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c) // ends with its socket
	}
}

func serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReaderSize(c, 4096)
	if upgrade(c, in) != nil {
		return
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := read(in, buf[4:])
		if err != nil {
			return
		}
		if bytes.Contains(buf[4:4+min(n, 40)], []byte("session_control")) {
			n = copy(buf[4:], `{"type":"session_started"}`)
		}
		if _, err := c.Write(framed(buf, n)); err != nil {
			return
		}
	}
}

func upgrade(c net.Conn, in *bufio.Reader) error {
	key := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if line == "\r\n" {
			break
		}
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(k, "Sec-WebSocket-Key") {
			key = strings.TrimSpace(v)
		}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err := io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return err
}

// read reads a frame's payload into p.
func read(in *bufio.Reader, p []byte) (int, error) {
	var h [6]byte
	if _, err := io.ReadFull(in, h[:2]); err != nil {
		return 0, err
	}
	n := int(h[1] & 0x7f)
	if n == 126 {
		if _, err := io.ReadFull(in, h[:2]); err != nil {
			return 0, err
		}
		n = int(binary.BigEndian.Uint16(h[:2]))
	}
	if h[0]&15 == 8 || n > len(p) {
		return 0, io.EOF
	}
	if _, err := io.ReadFull(in, h[2:6]); err != nil {
		return 0, err
	}
	return io.ReadFull(in, p[:n])
}

// framed puts a header before the n bytes from buf[4] on.
func framed(buf []byte, n int) []byte {
	if n < 126 {
		buf[2], buf[3] = 0x81, byte(n)
		return buf[2 : 4+n]
	}
	buf[0], buf[1] = 0x81, 126
	binary.BigEndian.PutUint16(buf[2:], uint16(n))
	return buf[:4+n]
}
