// The namespaces program empties deleted namespaces with Kubernetes' own code for that, but at once.
//
// The controller in kube-controller-manager waits 5 s after every event of a namespace, for the sake of clusters with
// several API servers, and up to half the pods' grace period more. A test cluster has one API server, and its
// pods end at once; a test that deletes a namespace would spend nearly all its time waiting.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

const (
	workers    = 16
	first      = 200 * time.Millisecond // from a namespace's deletion to the first look at it
	again      = 250 * time.Millisecond // while something is left in it
	discovered = 2 * time.Second        // for how long the list of resource types is kept
)

func main() {
	path := flag.String("kubeconfig", "", "the kubeconfig file")
	flag.Parse()
	if err := run(context.Background(), *path); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return err
	}
	config.QPS = -1 // no throttle
	config.UserAgent = "kube-controller-manager/namespaces"
	config.WarningHandler = rest.NoWarnings{} // every resource type is listed, deprecated ones too
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}

	types := resourceTypes{discover: client.Discovery().ServerPreferredNamespacedResources}
	deleter := deletion.NewNamespacedResourcesDeleter(ctx, client.CoreV1().Namespaces(), metadataClient, client.CoreV1(), types.get, v1.FinalizerKubernetes)
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](again, 5*time.Second))

	enqueue := func(object any) {
		if namespace, ok := object.(*v1.Namespace); ok && namespace.DeletionTimestamp != nil {
			queue.AddAfter(namespace.Name, first)
		}
	}
	informer := informers.NewSharedInformerFactory(client, 0).Core().V1().Namespaces().Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
	}); err != nil {
		return err
	}

	work := func() {
		for {
			name, stop := queue.Get()
			if stop {
				return
			}
			err := deleter.Delete(ctx, name)
			var remaining *deletion.ResourcesRemainingError
			switch {
			case err == nil:
				queue.Forget(name)
			case errors.As(err, &remaining):
				queue.Forget(name)
				queue.AddAfter(name, again)
			default:
				fmt.Fprintf(os.Stderr, "namespace %s: %v\n", name, err)
				queue.AddRateLimited(name)
			}
			queue.Done(name)
		}
	}
	for range workers {
		go work()
	}
	informer.Run(ctx.Done())
	return nil
}

// resourceTypes keeps the list of the API's resource types for a moment: many namespaces are deleted at once.
type resourceTypes struct {
	discover func() ([]*metav1.APIResourceList, error)
	lock     sync.Mutex
	at       time.Time
	lists    []*metav1.APIResourceList
}

func (t *resourceTypes) get() ([]*metav1.APIResourceList, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if time.Since(t.at) < discovered {
		return t.lists, nil
	}
	lists, err := t.discover()
	if err == nil {
		t.lists, t.at = lists, time.Now()
	}
	return lists, err
}
