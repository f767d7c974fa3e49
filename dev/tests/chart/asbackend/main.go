// Command asbackend runs a command against a cluster where urumi has the token of the chart's ServiceAccount and nothing else, and
// everybody else, such as the tests that look at what became of it, is the administrator of the kubeconfig.
//
//	asbackend KUBECONFIG NAMESPACE COMMAND...
//
// It stands before the API server, and tells urumi from others by the user agent. KUBECONFIG and URUMI_TEST_KUBECONFIG of the command are
// its own. What urumi was refused is said on stderr.
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The token of the kubeconfig, which says nothing.
const placeholder = "whoever"

func main() {
	code, err := run(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		code = 1
	}
	os.Exit(code)
}

func run(kubeconfig, namespace string, command []string) (int, error) {
	admin, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return 0, err
	}
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return 0, err
	}
	seconds := int64((6 * time.Hour).Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(context.Background(), "backend", request, metav1.CreateOptions{})
	if err != nil {
		return 0, err
	}
	limited := rest.AnonymousClientConfig(admin)
	limited.BearerToken = token.Status.Token
	server, err := url.Parse(admin.Host)
	if err != nil {
		return 0, err
	}
	var refused, asked atomic.Int64
	proxy := func(config *rest.Config, ours bool) (http.Handler, error) {
		transport, err := rest.TransportFor(config)
		if err != nil {
			return nil, err
		}
		return &httputil.ReverseProxy{
			Rewrite: func(it *httputil.ProxyRequest) {
				it.SetURL(server)
				it.Out.Host = server.Host
			},
			Transport:     transport,
			FlushInterval: -1,
			ModifyResponse: func(response *http.Response) error {
				if !ours {
					return nil
				}
				asked.Add(1)
				if response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusUnprocessableEntity {
					return nil
				}
				body, err := io.ReadAll(response.Body)
				if err != nil {
					return err
				}
				response.Body = io.NopCloser(bytes.NewReader(body))
				// Quotas and namespaces on their way out forbid as well: that is what the tests are about.
				if bytes.Contains(body, []byte("ValidatingAdmissionPolicy")) || bytes.Contains(body, []byte("cannot")) {
					refused.Add(1)
					fmt.Fprintf(os.Stderr, "refused: %s %s: %s\n", response.Request.Method, response.Request.URL.Path, body)
				}
				return nil
			},
		}, nil
	}
	asAdmin, err := proxy(admin, false)
	if err != nil {
		return 0, err
	}
	asBackend, err := proxy(limited, true)
	if err != nil {
		return 0, err
	}
	asThemselves, err := proxy(rest.AnonymousClientConfig(admin), false)
	if err != nil {
		return 0, err
	}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		// Somebody who brings a token of their own is who that says.
		if request.Header.Get("Authorization") != "Bearer "+placeholder {
			asThemselves.ServeHTTP(answer, request)
			return
		}
		request.Header.Del("Authorization")
		if strings.HasPrefix(request.UserAgent(), "urumi") {
			// One of several is told from the others by its user agent, in the audit log, as it may act as nobody else.
			if name := request.Header.Get("Impersonate-User"); name != "" {
				request.Header.Del("Impersonate-User")
				request.Header.Del("Impersonate-Group")
				request.Header.Set("User-Agent", request.UserAgent()+" as "+name)
			}
			asBackend.ServeHTTP(answer, request)
			return
		}
		asAdmin.ServeHTTP(answer, request)
	}))
	certificate, authority, err := certificates()
	if err != nil {
		return 0, err
	}
	front.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	defer front.Close()

	folder, err := os.MkdirTemp("", "asbackend")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	file := clientcmdapi.NewConfig()
	file.Clusters["c"] = &clientcmdapi.Cluster{Server: front.URL, CertificateAuthorityData: authority}
	// What the proxy puts in its place; clients want one.
	file.AuthInfos["c"] = &clientcmdapi.AuthInfo{Token: placeholder}
	file.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "c"}
	file.CurrentContext = "c"
	path := filepath.Join(folder, "kubeconfig")
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		return 0, err
	}
	child := exec.Command(command[0], command[1:]...)
	child.Env = append(os.Environ(), "KUBECONFIG="+path, "URUMI_TEST_KUBECONFIG="+path)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	failed := child.Run()
	fmt.Fprintf(os.Stderr, "urumi asked %d times and was refused %d times\n", asked.Load(), refused.Load())
	if failed != nil {
		return 1, failed
	}
	return 0, nil
}

// certificates are one for loopback, and the authority's that signed it: clients in Rust do not take one that is both.
func certificates() (tls.Certificate, []byte, error) {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "asbackend authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "asbackend"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signedAuthority, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	signed, err := x509.CreateCertificate(rand.Reader, leaf, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signedAuthority})
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, text, nil
}
