// The router program answers for the test cluster's Ingress objects: it passes each request on to the Service that its
// host and path name, over the Service's cluster address, as soon as the API server says so.
//
// It knows what networking.k8s.io/v1 says (hosts, wildcards, Exact and Prefix paths, default backends, TLS secrets) and
// no annotation of any other controller.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	listers "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	path := flag.String("kubeconfig", "", "the kubeconfig file")
	address := flag.String("address", "", "the address to serve at and to tell as that of every Ingress")
	class := flag.String("class", "", "the IngressClass to serve")
	flag.Parse()
	if err := run(context.Background(), *path, *address, *class); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path, address, class string) error {
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return err
	}
	config.QPS = -1 // no throttle
	config.UserAgent = "router"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}

	objects := informers.NewSharedInformerFactory(client, 0)
	secrets := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(options *metav1.ListOptions) {
		options.FieldSelector = "type=" + string(v1.SecretTypeTLS)
	}))
	r := &router{
		client:    client,
		address:   address,
		class:     class,
		ingresses: objects.Networking().V1().Ingresses().Lister(),
		services:  objects.Core().V1().Services().Lister(),
		secrets:   secrets.Core().V1().Secrets().Lister(),
	}
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default: // one is waiting already
		}
	}
	for _, informer := range []cache.SharedIndexInformer{
		objects.Networking().V1().Ingresses().Informer(),
		objects.Core().V1().Services().Informer(),
		secrets.Core().V1().Secrets().Informer(),
	} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { notify() },
			UpdateFunc: func(any, any) { notify() },
			DeleteFunc: func(any) { notify() },
		}); err != nil {
			return err
		}
	}
	objects.Start(ctx.Done())
	secrets.Start(ctx.Done())
	objects.WaitForCacheSync(ctx.Done())
	secrets.WaitForCacheSync(ctx.Done())
	r.rebuild()

	failed := make(chan error, 2)
	server := &http.Server{Addr: address + ":80", Handler: r, ReadHeaderTimeout: 10 * time.Second}
	secure := &http.Server{Addr: address + ":443", Handler: r, ReadHeaderTimeout: 10 * time.Second, TLSConfig: &tls.Config{GetCertificate: r.certificate}}
	go func() { failed <- server.ListenAndServe() }()
	go func() { failed <- secure.ListenAndServeTLS("", "") }()
	for {
		select {
		case err := <-failed:
			return err
		case <-changed:
			r.rebuild()
			r.tell(ctx)
		}
	}
}

type router struct {
	client         kubernetes.Interface
	address, class string
	ingresses      listers.IngressLister
	services       corelisters.ServiceLister
	secrets        corelisters.SecretLister
	table          atomic.Pointer[table]
}

// table is what the objects say at one moment.
type table struct {
	hosts        map[string][]route // by host; "*.example.com" for a wildcard, "" for every host
	certificates map[string]*tls.Certificate
}

type route struct {
	path   string
	exact  bool
	target *url.URL // nil where the Service or its port does not exist
	name   string   // of the Service, for messages
}

func (r *router) served() []*networking.Ingress {
	all, err := r.ingresses.List(labels.Everything())
	if err != nil {
		log.Print(err) // a cache does not fail
	}
	ours := slices.DeleteFunc(all, func(ingress *networking.Ingress) bool {
		return ingress.Spec.IngressClassName == nil || *ingress.Spec.IngressClassName != r.class
	})
	// Of two that claim the same path, the older has it.
	slices.SortFunc(ours, func(a, b *networking.Ingress) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name))
	})
	return ours
}

func (r *router) rebuild() {
	t := &table{hosts: map[string][]route{}, certificates: map[string]*tls.Certificate{}}
	for _, ingress := range r.served() {
		for _, rule := range ingress.Spec.Rules {
			if rule.HTTP == nil {
				if ingress.Spec.DefaultBackend != nil {
					t.hosts[rule.Host] = append(t.hosts[rule.Host], r.route(ingress.Namespace, "/", false, *ingress.Spec.DefaultBackend))
				}
				continue
			}
			for _, path := range rule.HTTP.Paths {
				exact := path.PathType != nil && *path.PathType == networking.PathTypeExact
				t.hosts[rule.Host] = append(t.hosts[rule.Host], r.route(ingress.Namespace, cmp.Or(path.Path, "/"), exact, path.Backend))
			}
		}
		if len(ingress.Spec.Rules) == 0 && ingress.Spec.DefaultBackend != nil {
			t.hosts[""] = append(t.hosts[""], r.route(ingress.Namespace, "/", false, *ingress.Spec.DefaultBackend))
		}
		for _, use := range ingress.Spec.TLS {
			secret, err := r.secrets.Secrets(ingress.Namespace).Get(use.SecretName)
			if err != nil {
				continue // not there yet
			}
			certificate, err := tls.X509KeyPair(secret.Data[v1.TLSCertKey], secret.Data[v1.TLSPrivateKeyKey])
			if err != nil {
				log.Printf("secret %s/%s: %v", ingress.Namespace, use.SecretName, err)
				continue
			}
			for _, host := range use.Hosts {
				t.certificates[host] = &certificate
			}
		}
	}
	for _, routes := range t.hosts {
		slices.SortStableFunc(routes, func(a, b route) int {
			if a.exact != b.exact && a.path == b.path {
				if a.exact {
					return -1
				}
				return 1
			}
			return cmp.Compare(len(b.path), len(a.path))
		})
	}
	r.table.Store(t)
}

func (r *router) route(namespace, path string, exact bool, backend networking.IngressBackend) route {
	found := route{path: path, exact: exact}
	if backend.Service == nil {
		found.name = "a resource that is not a Service"
		return found
	}
	found.name = namespace + "/" + backend.Service.Name
	service, err := r.services.Services(namespace).Get(backend.Service.Name)
	if err != nil || service.Spec.ClusterIP == "" || service.Spec.ClusterIP == v1.ClusterIPNone {
		return found
	}
	for _, port := range service.Spec.Ports {
		if wanted := backend.Service.Port; port.Port == wanted.Number || wanted.Name != "" && port.Name == wanted.Name {
			found.target = &url.URL{Scheme: "http", Host: net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(int(port.Port)))}
		}
	}
	return found
}

// tell writes the router's address into the status of each Ingress it serves.
func (r *router) tell(ctx context.Context) {
	status := networking.IngressStatus{LoadBalancer: networking.IngressLoadBalancerStatus{Ingress: []networking.IngressLoadBalancerIngress{{IP: r.address}}}}
	for _, ingress := range r.served() {
		if reflect.DeepEqual(ingress.Status, status) || ingress.DeletionTimestamp != nil {
			continue
		}
		ingress = ingress.DeepCopy()
		ingress.Status = status
		_, err := r.client.NetworkingV1().Ingresses(ingress.Namespace).UpdateStatus(ctx, ingress, metav1.UpdateOptions{})
		// Whoever changed or deleted it meanwhile causes an event of its own.
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			log.Printf("status of the Ingress %s/%s: %v", ingress.Namespace, ingress.Name, err)
		}
	}
}

// forms lists the keys under which a host may be known, most specific first.
func forms(host string) []string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, parent, _ := strings.Cut(host, ".")
	return []string{host, "*." + parent, ""}
}

func (t *table) find(host, path string) (route, bool) {
	for _, form := range forms(host) {
		for _, candidate := range t.hosts[form] {
			prefix := strings.TrimSuffix(candidate.path, "/")
			if path == candidate.path || !candidate.exact && (path == prefix || strings.HasPrefix(path, prefix+"/")) {
				return candidate, true
			}
		}
	}
	return route{}, false
}

func (r *router) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	t := r.table.Load()
	for _, form := range forms(hello.ServerName) {
		if certificate := t.certificates[form]; certificate != nil {
			return certificate, nil
		}
	}
	return nil, fmt.Errorf("no Ingress names a TLS secret for %q", hello.ServerName)
}

// Services are reached by their addresses, whatever proxy the environment names.
var transport = &http.Transport{
	DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
	// A connection that is kept goes on to a pod that its Service no longer has.
	DisableKeepAlives:  true,
	DisableCompression: true,
}

func (r *router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	host := request.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	found, ok := r.table.Load().find(host, request.URL.Path)
	switch {
	case !ok:
		http.Error(w, fmt.Sprintf("no Ingress routes %s%s", host, request.URL.Path), http.StatusNotFound)
		return
	case found.target == nil:
		http.Error(w, fmt.Sprintf("the Ingress of %s names %s, which has no such port or does not exist", host, found.name), http.StatusServiceUnavailable)
		return
	}
	proxy := httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1, // streams stay streams
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(found.target)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, request *http.Request, err error) {
			if errors.Is(err, context.Canceled) {
				return // the client has left
			}
			http.Error(w, fmt.Sprintf("the Service %s of %s cannot be reached: %v", found.name, host, err), http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, request)
}
