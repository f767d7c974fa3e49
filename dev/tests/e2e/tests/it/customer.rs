//! A customer, who buys through the store's API as a storefront does.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::shop::Shop;

/// Somebody who buys.
#[derive(Clone)]
pub(crate) struct Customer {
    browser: Client,
    api: String,
    key: String,
    email: String,
}

/// A cart with everything in it that an order needs.
pub(crate) struct Cart {
    pub(crate) id: String,
}

impl Customer {
    pub(crate) fn of(shop: &Shop) -> Customer {
        let email = "ada@example.com".to_owned();
        Customer { browser: shop.browser(), api: shop.api(), key: shop.key(), email }
    }

    /// The same customer at an address of one's own, e.g. that of one of several replicas.
    pub(crate) fn at(&self, api: &str) -> Customer {
        Customer { api: api.to_owned(), ..self.clone() }
    }

    /// The same customer with another key.
    pub(crate) fn with_key(&self, key: &str) -> Customer {
        Customer { key: key.to_owned(), ..self.clone() }
    }

    /// Somebody else.
    pub(crate) fn called(&self, name: &str) -> Customer {
        Customer { email: format!("{name}@example.com"), ..self.clone() }
    }

    /// Asks the API, and returns status and body.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.browser.request(method, format!("{}{path}", self.api));
        request = request.header("x-publishable-api-key", &self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
        assert_eq!(status, 200, "POST {path}: {answer}");
        answer
    }

    /// The first product that can be bought, as the API shows it.
    pub(crate) async fn product(&self, region: &str) -> Value {
        let fields = "*variants.calculated_price,+variants.inventory_quantity";
        let products = self.get(&format!("/store/products?region_id={region}&fields={fields}")).await;
        let products = products["products"].as_array().unwrap().clone();
        let in_stock = |p: &&Value| p["variants"][0]["inventory_quantity"].as_i64().unwrap_or(0) > 0;
        products.iter().find(in_stock).unwrap_or_else(|| panic!("nothing is in stock: {products:?}")).clone()
    }

    pub(crate) async fn region(&self) -> Value {
        self.get("/store/regions").await["regions"][0].clone()
    }

    /// Fills a cart up to the point at which it can be completed.
    pub(crate) async fn fill_cart(&self) -> Cart {
        let region = self.region().await;
        let (region_id, country) = (region["id"].as_str().unwrap(), region["countries"][0]["iso_2"].as_str().unwrap());
        let product = self.product(region_id).await;
        let cart = self.post("/store/carts", json!({"region_id": region_id})).await;
        let id = cart["cart"]["id"].as_str().unwrap().to_owned();
        let item = json!({"variant_id": product["variants"][0]["id"], "quantity": 1});
        self.post(&format!("/store/carts/{id}/line-items"), item).await;
        let address = json!({
            "first_name": "Ada", "last_name": "Lovelace", "address_1": "1 Analytical Way",
            "city": "Anywhere", "postal_code": "10115", "country_code": country,
        });
        let who = json!({"email": self.email, "shipping_address": address.clone(), "billing_address": address});
        self.post(&format!("/store/carts/{id}"), who).await;
        let options = self.get(&format!("/store/shipping-options?cart_id={id}")).await;
        let option = json!({"option_id": options["shipping_options"][0]["id"]});
        self.post(&format!("/store/carts/{id}/shipping-methods"), option).await;
        let payment = self.post("/store/payment-collections", json!({"cart_id": id})).await;
        let payment = payment["payment_collection"]["id"].as_str().unwrap().to_owned();
        let provider = json!({"provider_id": "pp_system_default"});
        self.post(&format!("/store/payment-collections/{payment}/payment-sessions"), provider).await;
        Cart { id }
    }

    /// Completes a cart; returns the status and what is answered.
    pub(crate) async fn complete(&self, cart: &Cart) -> (u16, Value) {
        self.ask(Method::POST, &format!("/store/carts/{}/complete", cart.id), Some(json!({}))).await
    }

    /// Buys something and returns the order.
    pub(crate) async fn buy(&self) -> Value {
        let cart = self.fill_cart().await;
        let (status, answer) = self.complete(&cart).await;
        assert_eq!((status, answer["type"].as_str()), (200, Some("order")), "{answer}");
        answer["order"].clone()
    }
}

/// The administrator of a store, signed in.
pub(crate) struct Administrator {
    browser: Client,
    api: String,
    token: String,
}

impl Administrator {
    /// Signs in; `None` when that is refused.
    pub(crate) async fn sign_in(shop: &Shop, email: &str, password: &str) -> Option<Administrator> {
        let browser = shop.browser();
        let body = json!({"email": email, "password": password});
        let response = browser.post(format!("{}/auth/user/emailpass", shop.api())).json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap();
        match status {
            200 => {
                Some(Administrator { browser, api: shop.api(), token: answer["token"].as_str().unwrap().to_owned() })
            }
            401 => None,
            _ => panic!("signing in gives {status}: {answer}"),
        }
    }

    /// Somebody who tries the token that one store gave at another.
    pub(crate) fn at(&self, shop: &Shop) -> Administrator {
        Administrator { browser: shop.browser(), api: shop.api(), token: self.token.clone() }
    }

    /// Asks the admin API.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.ask(path).await;
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// The status with which the admin API answers.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.ask(path).await.status().as_u16()
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        self.browser.get(format!("{}{path}", self.api)).bearer_auth(&self.token).send().await.unwrap()
    }
}
