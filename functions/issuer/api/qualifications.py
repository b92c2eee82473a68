"""POST /v1/qualifications: the only call without a key."""

from aws_lambda_powertools.event_handler import Request

from issuer.api.answers import qualification_answer
from issuer.api.bodies import QualificationBody
from issuer.api.call import Reply, call_of, reply
from issuer.model import Contact


def receive(request: Request, body: QualificationBody) -> Reply:
    """Ask to take part. The operator answers the contact; nothing is provisioned by this call."""
    contact = Contact(body.contact.name, body.contact.email, body.contact.role)
    received = call_of(request).service.qualifications.receive(body.tier, contact, body.workflow)
    return reply(qualification_answer(received), 201)
