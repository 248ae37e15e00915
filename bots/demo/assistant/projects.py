"""The two projects of the demo, as catalogues: a shop and a video platform. Only their facts."""

from bots.demo.assistant.catalogue import Catalogue, Service, Topic


def demo_projects() -> tuple[Catalogue, ...]:
    """Return every demo project."""
    return shop_demo(), media_demo()


def shop_demo() -> Catalogue:
    """A web shop: orders, payments, parcels (`shop-demo-7f3k2`)."""
    description = "A web shop: orders, payments, parcels"
    return Catalogue("shop-demo-7f3k2", "Shop demo", _shop_services(), _shop_topics(), description)


def media_demo() -> Catalogue:
    """A video platform: uploads, transcoding, playback (`media-demo-4p9x1`)."""
    description = "A video platform: uploads, transcoding, playback"
    return Catalogue("media-demo-4p9x1", "Media demo", _media_services(), _media_topics(), description)


def _shop_services() -> tuple[Service, ...]:
    return (
        Service(
            "web",
            "Storefront",
            "The shop people see: pages, basket and checkout.",
            calls=("order-service", "catalog-service"),
            produces=("cart.abandoned",),
        ),
        Service(
            "order-service",
            "Checkout",
            "Takes orders and keeps their state from basket to doorstep.",
            calls=("billing", "inventory"),
            produces=("order.created", "order.cancelled"),
            consumes=("payment.captured", "payment.failed", "shipment.dispatched"),
        ),
        Service(
            "billing",
            "Payments",
            "Charges cards, issues invoices and refunds.",
            calls=("fraud-check",),
            produces=("payment.captured", "payment.failed"),
            consumes=("order.created", "order.cancelled"),
        ),
        Service(
            "fraud-check",
            "Payments",
            "Scores a payment before it is captured.",
            produces=("fraud.suspected",),
        ),
        Service(
            "inventory",
            "Logistics",
            "Knows what is in stock and reserves it.",
            produces=("stock.reserved", "stock.low"),
            consumes=("order.created", "order.cancelled"),
        ),
        Service(
            "shipping",
            "Logistics",
            "Books carriers and prints labels.",
            calls=("inventory",),
            produces=("shipment.dispatched",),
            consumes=("payment.captured", "stock.reserved"),
        ),
        Service(
            "catalog-service",
            "Storefront",
            "Products, prices and search.",
            calls=("inventory",),
            consumes=("stock.low",),
        ),
        Service(
            "notification",
            "Growth",
            "Sends e-mails and push messages.",
            consumes=(
                "order.created",
                "payment.failed",
                "shipment.dispatched",
                "cart.abandoned",
                "fraud.suspected",
            ),
        ),
    )


def _shop_topics() -> tuple[Topic, ...]:
    return (
        Topic(
            "order.created", "An order was placed.", '{"orderId": "o-1042", "total": 59.9, "currency": "EUR"}'
        ),
        Topic("order.cancelled", "An order was called off.", '{"orderId": "o-1042", "reason": "customer"}'),
        Topic("payment.captured", "Money has arrived.", '{"paymentId": "p-77", "orderId": "o-1042"}'),
        Topic("payment.failed", "A charge was declined.", '{"orderId": "o-1042", "reason": "card_expired"}'),
        Topic("fraud.suspected", "A payment scored too high.", '{"paymentId": "p-78", "score": 0.93}'),
        Topic(
            "stock.reserved", "Items are set aside.", '{"orderId": "o-1042", "sku": "mug-blue", "count": 2}'
        ),
        Topic("stock.low", "An article is running out.", '{"sku": "mug-blue", "left": 3}'),
        Topic("shipment.dispatched", "A parcel left.", '{"orderId": "o-1042", "carrier": "DHL"}'),
        Topic("cart.abandoned", "A basket was left behind.", '{"cartId": "c-9", "items": 4}'),
    )


def _media_services() -> tuple[Service, ...]:
    return (
        Service(
            "upload-api",
            "Ingest",
            "Accepts video files in pieces.",
            calls=("rights-service",),
            produces=("video.uploaded",),
        ),
        Service(
            "transcoder",
            "Ingest",
            "Turns uploads into streams for every screen.",
            produces=("video.transcoded",),
            consumes=("video.uploaded",),
        ),
        Service(
            "thumbnailer",
            "Ingest",
            "Picks still frames.",
            produces=("thumbnail.ready",),
            consumes=("video.uploaded",),
        ),
        Service(
            "media-library",
            "Library",
            "The record of every video and its state.",
            calls=("rights-service",),
            produces=("video.published",),
            consumes=("video.transcoded", "thumbnail.ready", "rights.changed"),
        ),
        Service(
            "rights-service",
            "Legal Tech",
            "Who may show what, where, until when.",
            produces=("rights.changed",),
        ),
        Service(
            "player-web",
            "Watch",
            "The player in the browser.",
            calls=("media-library", "recommendation"),
            produces=("playback.started",),
        ),
        Service(
            "recommendation",
            "Insights",
            "Suggests what to watch next.",
            calls=("media-library",),
            consumes=("video.published", "playback.started"),
        ),
        Service("viewing-stats", "Insights", "Counts views.", consumes=("playback.started",)),
    )


def _media_topics() -> tuple[Topic, ...]:
    return (
        Topic("video.uploaded", "A file is complete.", '{"videoId": "v-31", "bytes": 734003200}'),
        Topic("video.transcoded", "All streams are ready.", '{"videoId": "v-31", "renditions": 6}'),
        Topic("video.published", "A video went live.", '{"videoId": "v-31", "region": "EU"}'),
        Topic("thumbnail.ready", "A still frame was chosen.", '{"videoId": "v-31", "atSeconds": 12}'),
        Topic("rights.changed", "A licence changed.", '{"videoId": "v-31", "until": "2027-01-01"}'),
        Topic("playback.started", "Somebody pressed play.", '{"videoId": "v-31", "device": "tv"}'),
    )
