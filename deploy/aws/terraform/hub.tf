# The same as hub.yaml, for whoever uses Terraform: applied once in the partner's own account, in us-east-1. Its outputs
# are what the desk asks for under AWS, Hubs.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "customer_accounts" {
  type        = set(string)
  default     = []
  description = "Account numbers that may send changes"
}

variable "customer_organizations" {
  type        = set(string)
  default     = []
  description = "Organizations (o-...) whose accounts may send changes"
}

variable "host_service" {
  type        = string
  default     = "ec2.amazonaws.com"
  description = "What the help desk runs on"
}

provider "aws" {
  region = "us-east-1"
}

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  arn = "arn:${data.aws_partition.here.partition}:iam::"
  kinds = {
    support = ["Support Case Update"]
    health  = ["AWS Health Event", "AWS Health Abuse Event"]
  }
}

resource "aws_cloudwatch_event_bus" "bus" {
  name = "partner-support"
}

# A statement each, so that those which the desk adds stay.
resource "aws_cloudwatch_event_permission" "account" {
  for_each       = var.customer_accounts
  event_bus_name = aws_cloudwatch_event_bus.bus.name
  statement_id   = "account-${each.key}"
  principal      = each.key
}

resource "aws_cloudwatch_event_permission" "organization" {
  for_each       = var.customer_organizations
  event_bus_name = aws_cloudwatch_event_bus.bus.name
  statement_id   = "organization-${each.key}"
  principal      = "*"
  condition {
    type  = "StringEquals"
    key   = "aws:PrincipalOrgID"
    value = each.key
  }
}

resource "aws_cloudwatch_event_rule" "rule" {
  for_each       = local.kinds
  name           = "partner-${each.key}"
  event_bus_name = aws_cloudwatch_event_bus.bus.name
  event_pattern = jsonencode({
    "source"      = ["aws.${each.key}"]
    "detail-type" = each.value
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  for_each       = local.kinds
  rule           = aws_cloudwatch_event_rule.rule[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.bus.name
  target_id      = "queue"
  arn            = aws_sqs_queue.queue[each.key].arn
}

resource "aws_sqs_queue" "dead" {
  for_each                  = local.kinds
  name                      = "partner-${each.key}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_sqs_queue" "queue" {
  for_each                   = local.kinds
  name                       = "partner-${each.key}"
  visibility_timeout_seconds = 120
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = 5
  })
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_sqs_queue_policy" "queue" {
  for_each  = local.kinds
  queue_url = aws_sqs_queue.queue[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheRuleAlone"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.queue[each.key].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.rule[each.key].arn } }
    }]
  })
}

resource "aws_iam_role" "desk" {
  name        = "PartnerHelpDesk"
  description = "What the help desk is in AWS"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = var.host_service }
      Action    = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy" "desk" {
  name = "TheDesk"
  role = aws_iam_role.desk.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "TakeOnRoles"
        Effect = "Allow"
        Action = ["sts:AssumeRole", "sts:SetSourceIdentity"]
        Resource = [
          "${local.arn}*:role/PartnerSupportSync",
          "${local.arn}*:role/PartnerOrganizationSync",
          "${local.arn}${data.aws_caller_identity.here.account_id}:role/PartnerHubSetup",
        ]
      },
      {
        Sid    = "ReadQueues"
        Effect = "Allow"
        Action = [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:ChangeMessageVisibility",
          "sqs:GetQueueAttributes",
          "sqs:SendMessage",
        ]
        Resource = concat(values(aws_sqs_queue.queue)[*].arn, values(aws_sqs_queue.dead)[*].arn)
      },
      {
        Sid      = "LookAtBus"
        Effect   = "Allow"
        Action   = ["events:DescribeEventBus"]
        Resource = aws_cloudwatch_event_bus.bus.arn
      },
      {
        Sid      = "LookAtRule"
        Effect   = "Allow"
        Action   = ["events:DescribeRule", "events:ListTargetsByRule"]
        Resource = aws_cloudwatch_event_rule.rule["health"].arn
      },
    ]
  })
}

output "account_number" {
  value = data.aws_caller_identity.here.account_id
}

output "principal_arn" {
  value = aws_iam_role.desk.arn
}

output "bus_arn" {
  value = aws_cloudwatch_event_bus.bus.arn
}

output "queue_url" {
  value = aws_sqs_queue.queue["support"].url
}

output "dead_queue_url" {
  value = aws_sqs_queue.dead["support"].url
}

output "health_queue_url" {
  value = aws_sqs_queue.queue["health"].url
}

output "health_dead_queue_url" {
  value = aws_sqs_queue.dead["health"].url
}
